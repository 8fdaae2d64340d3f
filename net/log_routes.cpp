#include "net/job_id.hpp"
#include "net/log_tail.hpp"
#include "net/query.hpp"
#include "net/route_parts.hpp"
#include "net/takeover.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <charconv>
#include <memory>

namespace troupe::net {

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using boost::system::error_code;

constexpr std::string_view text_type = "text/plain; charset=utf-8";
/// How often a followed log is looked at.
constexpr auto look_every = 300ms;

asio::awaitable<result<actors::log_reply>> log_of(edge& at, std::string id) {
  auto call = [&id](actors::gateway& to, auto reply) {
    to.log(std::move(id), std::move(reply));
  };
  co_return co_await ask<actors::log_reply>(at, call);
}

/// One client that follows a log, to the job's end.
class follower : public std::enable_shared_from_this<follower> {
public:
  follower(takeover taken, edge& at)
    : at_{at}, socket_{std::move(taken.socket)}, timer_{socket_.get_executor()},
      fields_{std::move(taken.answer_fields)} {
    taken.on_stop([stopping = stopping_] { *stopping = true; });
  }

  asio::awaitable<void> run(std::string id, actors::log_reply first) {
    std::string head = "HTTP/1.1 200 OK\r\nContent-Type: ";
    head.append(text_type).append("\r\nCache-Control: no-store\r\n"
                                  "X-Content-Type-Options: nosniff\r\n"
                                  "Transfer-Encoding: chunked\r\n"
                                  "Connection: close\r\n");
    head += fields_ + "\r\n";
    bool open = co_await write(head);
    result<actors::log_reply> now{std::move(first)};
    bool whole = false;
    while (open && !whole && !*stopping_) {
      if (now) {
        const auto fresh = chunk_of(tail_.news_in(now->text));
        if (!fresh.empty())
          open = co_await write(fresh);
        whole = now->ended;
      } else if (!passes(now.error())) {
        break;
      }
      if (open && !whole)
        open = co_await pause();
      if (open && !whole)
        now = co_await log_of(at_, id);
    }
    // Without its last chunk the client knows that this is not the end.
    const std::string last = "0\r\n\r\n";
    if (open && whole)
      co_await write(last);
    error_code ignored; // closing has no other outcome than closed
    socket_.shutdown(asio::socket_base::shutdown_both, ignored);
    socket_.close(ignored);
  }

private:
  /// True for a store or a queue that has no answer now.
  static bool passes(const failure& why) {
    return problem_of(why).retry_after_s > 0
           || why.code == actors::errc::deadline;
  }

  /// Nothing for nothing: an empty chunk would be the last.
  static std::string chunk_of(std::string_view bytes) {
    if (bytes.empty())
      return {};
    char size[20];
    const auto end = std::to_chars(size, std::end(size), bytes.size(), 16).ptr;
    return std::string(size, end).append("\r\n").append(bytes).append("\r\n");
  }

  /// False if the client has left, or takes nothing.
  asio::awaitable<bool> write(std::string bytes) {
    timer_.expires_after(std::chrono::seconds{at_.settings.write_timeout_s});
    timer_.async_wait([self = shared_from_this()](error_code error) {
      error_code ignored; // closing has no other outcome than closed
      if (!error)
        self->socket_.close(ignored);
    });
    error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    co_await asio::async_write(socket_, asio::buffer(bytes), token);
    timer_.cancel();
    co_return !error;
  }

  /// Waits, but no longer than the client stays. It has nothing to say.
  asio::awaitable<bool> pause() {
    timer_.expires_after(look_every);
    error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    co_await timer_.async_wait(token);
    char ignored[256];
    socket_.non_blocking(true, error);
    const auto got = socket_.read_some(asio::buffer(ignored), error);
    co_return got > 0 || error == asio::error::would_block;
  }

  edge& at_;
  asio::ip::tcp::socket socket_;
  asio::steady_timer timer_;
  std::string fields_;
  std::shared_ptr<bool> stopping_ = std::make_shared<bool>(false);
  log_tail tail_;
};

asio::awaitable<void> serve_log(takeover taken, std::string id,
                                actors::log_reply first, edge& at) {
  const auto session = std::make_shared<follower>(std::move(taken), at);
  co_await session->run(std::move(id), std::move(first));
}

/// `follow` as Go's ParseBool would have it, as far as anybody writes it.
std::string read_follow(std::string_view name, const std::string& value,
                        bool& out) {
  if (name != "follow")
    return std::string{unknown_parameter};
  out = value.empty() || value == "true" || value == "1";
  if (out || value == "false" || value == "0")
    return {};
  return "must be true or false";
}

} // namespace

answering show_job_log(edge& at, const request& req, const path_params& path) {
  const std::string id{path["id"]};
  if (!is_job_id(id))
    co_return not_found("no such job");
  bool follow = false;
  const auto read = [&follow](std::string_view name, const std::string& value) {
    return read_follow(name, value, follow);
  };
  if (const auto fault = read_parameters(req.target, read))
    co_return answer(*fault);
  auto log = co_await log_of(at, id);
  if (!log)
    co_return answer(problem_of(log.error()));
  if (follow && req.method == verb::get) {
    taker take{[id, first = std::move(*log)](takeover taken, edge& here) {
      return serve_log(std::move(taken), id, first, here);
    }};
    co_return take;
  }
  response out;
  out.content_type = text_type;
  out.body = std::move(log->text);
  co_return out;
}

} // namespace troupe::net
