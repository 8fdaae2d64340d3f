#include "net/progressive.hpp"

#include "media/errc.hpp"
#include "media/stream/fragments.hpp"
#include "net/client_address.hpp"
#include "net/edge.hpp"
#include "net/pacer.hpp"
#include "net/unsent_bound.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cstdio>

namespace troupe::net {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace std::chrono_literals;

/// Of one segment that is not made in time.
constexpr int most_tries = 5;

/// One such answer. All of it runs on the io thread.
class progressive : public std::enable_shared_from_this<progressive> {
public:
  progressive(takeover taken, std::string id, actors::stream_course course,
              edge& at)
    : at_{at}, party_{course.party.owner, id, course.party.priority},
      socket_{std::move(taken.socket)}, watch_{socket_.get_executor()},
      id_{std::move(id)}, course_{std::move(course)},
      fields_{std::move(taken.answer_fields)}, on_stop_{
                                                 std::move(taken.on_stop)} {
    bound_unsent(socket_);
    if (party_.owner.empty())
      party_.owner = taken.req.principal;
    if (party_.owner.empty())
      party_.owner = address_of(socket_);
    if (at.pace && at.pace->limits(traffic::progressive))
      lane_.emplace(*at.pace, party_, traffic::progressive);
  }

  asio::awaitable<void> run() {
    on_stop_([self = weak_from_this()] {
      if (const auto here = self.lock())
        here->cut();
    });
    const bool whole = co_await send_all();
    if (whole)
      co_await write("0\r\n\r\n");
    watch_.cancel();
    cut();
  }

private:
  void cut() {
    error_code ignored; // closed either way
    socket_.close(ignored);
    if (lane_)
      lane_->cancel();
  }

  asio::awaitable<bool> send_all() {
    auto init = co_await make_init();
    if (!init)
      co_return false;
    std::string head = "HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n"
                       "Transfer-Encoding: chunked\r\nAccept-Ranges: none\r\n"
                       "Cache-Control: no-store\r\n"
                       "X-Content-Type-Options: nosniff\r\n"
                       "Connection: close\r\n";
    head += fields_ + "\r\n";
    bool sent = co_await write(head);
    if (sent)
      sent = co_await write_chunk(*init, {});
    std::uint32_t number = 0;
    for (const auto& step : course_.steps) {
      if (!sent)
        co_return false;
      sent = co_await send_step(step, ++number);
    }
    co_return sent;
  }

  /// Nothing if it cannot be made.
  asio::awaitable<result<std::string>> make_init() {
    actors::stream_file_ask ask{id_, actors::stream_file::init, "", 0, {}};
    std::vector<std::string> inits;
    for (const auto* rendition : {&course_.video, &course_.audio}) {
      if (rendition->empty())
        continue;
      ask.rendition = *rendition;
      auto got = co_await fetch(ask);
      if (!got)
        co_return got.error();
      inits.push_back((*got)->bytes);
    }
    if (inits.size() == 1)
      co_return inits.front();
    if (inits.empty())
      co_return fail(media::errc::internal, "no tracks");
    co_return media::join_inits(inits[0], inits[1]);
  }

  asio::awaitable<bool> send_step(actors::stream_course::step step,
                                  std::uint32_t number) {
    actors::stream_file_ask ask{id_,
                                actors::stream_file::segment,
                                step.audio ? course_.audio : course_.video,
                                step.number,
                                {}};
    const auto got = co_await fetch(ask);
    if (!got)
      co_return false;
    if ((*got)->bytes.empty())
      co_return true;
    const std::uint32_t track = step.audio && !course_.video.empty() ? 2 : 1;
    const std::string_view whole{(*got)->bytes};
    const auto head = media::renumber_head(whole, track, number);
    if (!head)
      co_return false;
    co_return co_await write_chunk(*head, whole.substr(head->size()));
  }

  asio::awaitable<result<media::cached_ptr>>
  fetch(const actors::stream_file_ask& ask) {
    const std::chrono::milliseconds limit{static_cast<std::int64_t>(
      at_.parts.stream_settings->segment_timeout_s * 1000)};
    for (int tries = 1;; ++tries) {
      auto start = [this,
                    &ask](actors::reply_to<actors::stream_file_reply> reply) {
        at_.parts.streams->stream_part(ask, std::move(reply));
      };
      auto got = co_await at_.asks.ask<actors::stream_file_reply>(
        limit, std::move(start));
      if (got)
        co_return got->bytes;
      const bool may_come = got.error().code == actors::errc::deadline;
      if (!may_come || tries == most_tries || !socket_.is_open())
        co_return got.error();
    }
  }

  asio::awaitable<bool> write_chunk(std::string_view head,
                                    std::string_view body) {
    std::array<char, 24> length{};
    const auto size = std::snprintf(length.data(), length.size(), "%zx\r\n",
                                    head.size() + body.size());
    const std::array<asio::const_buffer, 4> parts{
      asio::buffer(length.data(), static_cast<std::size_t>(size)),
      asio::buffer(head.data(), head.size()),
      asio::buffer(body.data(), body.size()), asio::buffer("\r\n", 2)};
    error_code error;
    for (std::size_t i = 0; i < parts.size() && !error; ++i)
      co_await write_some(parts[i], error);
    co_return !error;
  }

  asio::awaitable<bool> write(std::string_view text) {
    error_code error;
    co_await write_some(asio::buffer(text.data(), text.size()), error);
    co_return !error;
  }

  /// As it may be sent.
  asio::awaitable<void> write_some(asio::const_buffer left, error_code& error) {
    while (left.size() > 0 && !error) {
      auto size = left.size();
      if (lane_)
        size = co_await lane_->wait(size);
      if (size == 0)
        error = asio::error::operation_aborted;
      co_await write_piece(asio::buffer(left, size), error);
      left += size;
    }
  }

  /// In parts, each of which the client has a while to take.
  asio::awaitable<void> write_piece(asio::const_buffer left,
                                    error_code& error) {
    const auto kind = to_string(traffic::progressive);
    while (left.size() > 0 && !error) {
      keep_watch();
      auto token = asio::redirect_error(asio::use_awaitable, error);
      const auto sent = co_await socket_.async_write_some(left, token);
      at_.parts.metrics.sent_bytes(kind, sent);
      left += sent;
    }
    watch_.cancel();
  }

  void keep_watch() {
    watch_.expires_after(std::chrono::seconds{at_.settings.write_timeout_s});
    watch_.async_wait([self = weak_from_this()](error_code error) {
      const auto here = self.lock();
      if (error || !here)
        return;
      here->at_.parts.metrics.client_dropped("write_timeout");
      here->cut();
    });
  }

  edge& at_;
  sender party_;
  std::optional<pacer::lane> lane_;
  asio::ip::tcp::socket socket_;
  asio::steady_timer watch_;
  const std::string id_;
  const actors::stream_course course_;
  const std::string fields_;
  std::function<void(std::function<void()>)> on_stop_;
};

} // namespace

asio::awaitable<void> serve_progressive(takeover taken, std::string id,
                                        actors::stream_course course,
                                        edge& at) {
  const auto sending = std::make_shared<progressive>(
    std::move(taken), std::move(id), std::move(course), at);
  co_await sending->run();
}

} // namespace troupe::net
