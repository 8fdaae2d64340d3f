#include "net/session.hpp"

#include "net/beast_fields.hpp"
#include "net/response_text.hpp"
#include "net/session_exchange.hpp"
#include "net/upload.hpp"

#include <tuple>
#include <utility>

namespace troupe::net {

namespace asio = boost::asio;
using boost::system::error_code;

session::session(session_host& host, asio::ip::tcp::socket socket)
  : host_{host}, place_{host.sessions.insert(host.sessions.end(), this)},
    socket_{std::move(socket)}, number_{++host.opened} {
  error_code ignored; // of a peer that is gone already; reading will tell
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
  host_.at.parts.metrics.connections(1);
}

session::~session() {
  host_.at.parts.metrics.connections(-1);
  host_.sessions.erase(place_);
  if (host_.sessions.empty() && host_.emptied)
    host_.emptied();
}

void session::check_time(clock::time_point now) {
  if (deadline_ > now)
    return;
  if (!receiving_ || late_)
    return cut();
  late_ = true;
  deadline_ = clock::time_point::max();
  error_code ignored; // whoever waits sees that it is over
  socket_.cancel(ignored);
}

void session::stop() {
  for (const auto& tell : on_stop_)
    tell();
  if (idle_)
    cut();
}

void session::cut() {
  error_code ignored; // closing has no other outcome than closed
  socket_.close(ignored);
  if (lane_)
    lane_->cancel();
}

void session::wait_at_most(seconds limit) {
  deadline_ = clock::now() + limit;
}

asio::awaitable<void> session::run() {
  for (bool open = true; open;) {
    open = co_await await_request();
    if (!open)
      break;
    exchange now;
    open = co_await read_head(now);
    if (open)
      open = co_await serve(now);
  }
}

/// Holds no buffer while it waits: most connections wait most of the time.
asio::awaitable<bool> session::await_request() {
  deadline_ = clock::time_point::max();
  skip_empty_lines();
  if (begin_ < input_.size())
    co_return !host_.stopping;
  forget_input();
  if (host_.stopping)
    co_return false;
  idle_ = true;
  wait_at_most(seconds{host_.at.settings.idle_timeout_s});
  const auto [error] =
    co_await socket_.async_wait(asio::socket_base::wait_read, with_error);
  idle_ = false;
  co_return !error;
}

void session::forget_input() {
  std::vector<char>{}.swap(input_); // `= {}` would keep the room
  begin_ = 0;
}

/// False if the peer has closed or was cut off.
asio::awaitable<bool> session::receive(std::size_t at_most) {
  input_.erase(input_.begin(),
               input_.begin() + static_cast<std::ptrdiff_t>(begin_));
  begin_ = 0;
  const auto had = input_.size();
  input_.resize(had + at_most);
  const auto space = asio::buffer(input_.data() + had, at_most);
  error_code error;
  auto got = socket_.read_some(space, error);
  if (error == asio::error::would_block) {
    receiving_ = true;
    std::tie(error, got) = co_await socket_.async_read_some(space, with_error);
    receiving_ = false;
  }
  input_.resize(had + got);
  co_return !error;
}

asio::awaitable<bool> session::serve(exchange& now) {
  const auto& head = now.parser.get();
  const auto facts = read_fields(head, now.req.headers);
  if (!asks_to_upgrade(head))
    now.req.headers.upgrade = {};
  now.req.id = request_id_of(now.req.headers.request_id);
  now.use = !head.keep_alive()     ? connection_use::closed
            : head.version() >= 11 ? connection_use::kept
                                   : connection_use::kept_and_told;
  if (facts.misframed) {
    const auto refusal = answer({problem_code::invalid_request,
                                 "Transfer-Encoding must be chunked alone"});
    co_return co_await refuse(now, refusal);
  }
  request_head about{view_of(head.method_string()),
                     view_of(head.target()),
                     head.version() >= 11,
                     facts.hosts == 1,
                     facts.repeated,
                     !now.parser.is_done(),
                     {}};
  if (const auto length = now.parser.content_length())
    about.content_length = *length;
  auto admitted = admit(host_.routes, host_.guard, about, now.req);
  if (auto* refusal = std::get_if<response>(&admitted)) {
    if (!now.parser.is_done())
      co_return co_await refuse(now, *refusal);
    co_return co_await respond(now, *refusal);
  }
  const auto& found = std::get<match>(admitted);
  now.pattern = found.pattern;
  now.max_body = found.route->max_body;
  if (found.route->form == body_form::upload && !now.parser.is_done()) {
    const bool opened = co_await open_upload(now);
    if (!opened)
      co_return false;
  }
  const bool whole = co_await read_body(now);
  if (!whole)
    co_return false;
  deadline_ = clock::time_point::max();
  auto done = co_await found.route->handle(host_.at, now.req, found.params);
  if (!done.take)
    co_return co_await respond(now, done.reply);
  co_await hand_over(now, *done.take);
  co_return false;
}

asio::awaitable<void> session::hand_over(exchange& now, const taker& take) {
  std::string fields = "X-Request-Id: " + now.req.id + "\r\n";
  append_cors(fields, host_.guard, now.req.headers.origin);
  takeover taken{
    std::move(socket_),
    now.req,
    text_of(now.parser.get()),
    std::string{input_.begin() + static_cast<std::ptrdiff_t>(begin_),
                input_.end()},
    [this](std::function<void()> tell) {
      if (host_.stopping)
        tell();
      on_stop_.push_back(std::move(tell));
    },
    std::move(fields)};
  forget_input();
  note(now, take.status);
  auto taking = take.run(std::move(taken), host_.at);
  co_await std::move(taking);
  on_stop_.clear();
}

} // namespace troupe::net
