#include "net/session.hpp"

#include "config/log.hpp"
#include "net/beast_fields.hpp"
#include "net/response_text.hpp"
#include "net/upload.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

namespace troupe::net {

namespace {

namespace asio = boost::asio;
using request_parser = http::request_parser<http::string_body>;
using boost::system::error_code;

constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);

constexpr std::uint32_t max_header_bytes = 16 * 1024;
constexpr std::size_t head_step = 4096;
constexpr std::size_t body_step = 64 * 1024;
constexpr std::size_t file_step = 256 * 1024;
/// So much of an upload is written at once.
constexpr std::size_t upload_step = 256 * 1024;
/// Chunk headers and trailers that never end are cut off here.
constexpr std::size_t max_unparsed = 128 * 1024;
/// What is still taken, and how long, of a body that nobody reads, so that the
/// answer is not lost to a reset.
constexpr std::size_t linger_bytes = 8 << 20;
constexpr std::chrono::seconds linger_time{3};

problem parse_problem(error_code error) {
  problem out{problem_code::invalid_request, error.message()};
  if (error == http::error::header_limit)
    out.status = 431;
  else if (error == http::error::body_limit)
    out.code = problem_code::body_too_large;
  return out;
}

asio::awaitable<std::string> read_blocking(file_slice part) {
  std::string block(std::min<std::uint64_t>(part.length, file_step), '\0');
  const auto got = ::pread(part.fd->get(), block.data(), block.size(),
                           static_cast<off_t>(part.offset));
  block.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  co_return block;
}

} // namespace

/// One request and its answer.
struct session::exchange {
  request_parser parser = {};
  request req = {};
  std::string_view pattern = {};
  std::uint64_t max_body = 0;
  connection_use use = connection_use::kept;
  clock::time_point started = clock::now();
};

session::session(session_host& host, asio::ip::tcp::socket socket)
  : host_{host}, place_{host.sessions.insert(host.sessions.end(), this)},
    socket_{std::move(socket)} {
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
  if (begin_ < input_.size())
    co_return !host_.stopping;
  forget_input();
  if (host_.stopping)
    co_return false;
  idle_ = true;
  wait_at_most(seconds{host_.at.settings.idle_timeout_s});
  const auto [error] =
    co_await socket_.async_wait(asio::socket_base::wait_read, as_tuple);
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
    std::tie(error, got) = co_await socket_.async_read_some(space, as_tuple);
    receiving_ = false;
  }
  input_.resize(had + got);
  co_return !error;
}

/// Of a request that does not go on: a slow one is answered, if it is one.
asio::awaitable<bool> session::give_up(exchange& now) {
  if (!late_)
    co_return false;
  problem what{problem_code::invalid_request, "the request came too slowly"};
  what.status = 408;
  const auto refusal = answer(what);
  co_return co_await refuse(now, refusal);
}

asio::awaitable<bool> session::read_head(exchange& now) {
  auto& parser = now.parser;
  parser.header_limit(max_header_bytes);
  parser.body_limit(boost::none);
  wait_at_most(seconds{host_.at.settings.header_timeout_s});
  for (;;) {
    error_code error;
    if (begin_ < input_.size())
      begin_ += parser.put(
        asio::buffer(input_.data() + begin_, input_.size() - begin_), error);
    if (error && error != http::error::need_more) {
      const auto refusal = answer(parse_problem(error));
      co_return co_await refuse(now, refusal);
    }
    if (parser.is_header_done())
      co_return true;
    const bool more = co_await receive(head_step);
    if (!more)
      co_return co_await give_up(now);
  }
}

/// Sends the interim answer that the client waits for (RFC 9110, 10.1.1).
asio::awaitable<bool> session::greet_body(exchange& now) {
  if (now.req.headers.expect.empty() || begin_ < input_.size())
    co_return true;
  co_return co_await send("HTTP/1.1 100 Continue\r\n\r\n", {});
}

asio::awaitable<bool> session::open_upload(exchange& now) {
  error_code error;
  const auto peer = socket_.remote_endpoint(error);
  now.req.upload =
    std::make_shared<upload>(host_.at, peer.address().to_string());
  std::optional<std::uint64_t> length;
  if (const auto told = now.parser.content_length())
    length = *told;
  deadline_ = clock::time_point::max();
  auto beginning = now.req.upload->begin(length);
  const auto fault = co_await std::move(beginning);
  if (!fault)
    co_return true;
  const auto refusal = answer(*fault);
  co_return co_await refuse(now, refusal);
}

/// Gives what has come of an upload to it.
asio::awaitable<bool> session::pass_on(exchange& now) {
  auto bytes = std::exchange(now.parser.get().body(), {});
  deadline_ = clock::time_point::max();
  auto taking = now.req.upload->take(std::move(bytes));
  const auto fault = co_await std::move(taking);
  wait_at_most(seconds{host_.at.settings.body_timeout_s});
  if (!fault)
    co_return true;
  const auto refusal = answer(*fault);
  co_return co_await refuse(now, refusal);
}

asio::awaitable<bool> session::read_body(exchange& now) {
  auto& parser = now.parser;
  if (parser.is_done())
    co_return true;
  const bool greeted = co_await greet_body(now);
  if (!greeted)
    co_return false;
  parser.body_limit(now.max_body);
  parser.eager(true);
  const seconds limit{host_.at.settings.body_timeout_s};
  wait_at_most(limit);
  for (std::size_t taken = 0;;) {
    error_code error;
    const auto used = parser.put(
      asio::buffer(input_.data() + begin_, input_.size() - begin_), error);
    begin_ += used;
    taken += used;
    if (input_.size() - begin_ > max_unparsed)
      error = http::error::bad_chunk_extension;
    if (error && error != http::error::need_more) {
      const auto refusal = answer(parse_problem(error));
      co_return co_await refuse(now, refusal);
    }
    if (now.req.upload
        && (parser.is_done() || parser.get().body().size() >= upload_step)) {
      const bool passed = co_await pass_on(now);
      if (!passed)
        co_return false;
    }
    if (parser.is_done())
      break;
    if (taken >= body_step) {
      taken = 0;
      wait_at_most(limit);
    }
    const bool more = co_await receive(body_step);
    if (!more)
      co_return co_await give_up(now);
  }
  now.req.body = parser.get().body();
  co_return true;
}

asio::awaitable<bool> session::serve(exchange& now) {
  const auto& head = now.parser.get();
  const auto facts = read_fields(head, now.req.headers);
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

/// Answers a request that is not read to its end, and closes.
asio::awaitable<bool> session::refuse(exchange& now, const response& what) {
  now.use = connection_use::closed;
  if (now.req.id.empty())
    now.req.id = request_id_of({});
  const bool sent = co_await respond(now, what);
  if (!sent && socket_.is_open())
    co_await linger();
  co_return false;
}

/// False if the connection ends with this answer.
asio::awaitable<bool> session::respond(exchange& now, const response& what) {
  if (host_.stopping)
    now.use = connection_use::closed;
  std::string extra;
  append_cors(extra, host_.guard, now.req.headers.origin);
  std::string head;
  head.reserve(512);
  append_head(head, what, now.req.id, now.use, extra);
  const bool bare = now.req.method == verb::head || is_bodiless(what.status);
  const bool is_file = what.file.fd && !bare;
  note(now, what.status);
  std::string_view body;
  if (!bare && !is_file)
    body = what.body;
  bool sent = co_await send(head, body);
  if (sent && is_file)
    sent = co_await send_file(what.file);
  co_return sent&& now.use != connection_use::closed;
}

asio::awaitable<bool> session::send(std::string_view head,
                                    std::string_view body) {
  std::array<asio::const_buffer, 2> left{
    asio::buffer(head.data(), head.size()),
    asio::buffer(body.data(), body.size())};
  for (;;) {
    error_code error;
    auto sent = socket_.write_some(left, error);
    if (error == asio::error::would_block) {
      wait_at_most(seconds{host_.at.settings.write_timeout_s});
      std::tie(error, sent) = co_await socket_.async_write_some(left, as_tuple);
    }
    if (error)
      co_return false;
    const auto of_head = std::min(sent, left[0].size());
    left[0] += of_head;
    left[1] += sent - of_head;
    if (left[0].size() + left[1].size() == 0)
      co_return true;
  }
}

asio::awaitable<bool> session::send_file(file_slice file) {
  while (file.length > 0) {
    deadline_ = clock::time_point::max();
    auto reading = read_blocking(file);
    const auto block = co_await asio::co_spawn(
      host_.at.files, std::move(reading), asio::use_awaitable);
    // The length is promised already: a file that shrank ends the connection.
    if (block.empty())
      co_return false;
    const bool sent = co_await send(block, {});
    if (!sent)
      co_return false;
    file.offset += block.size();
    file.length -= block.size();
  }
  co_return true;
}

asio::awaitable<void> session::linger() {
  error_code error;
  socket_.shutdown(asio::socket_base::shutdown_send, error);
  wait_at_most(linger_time);
  for (std::size_t taken = 0; taken < linger_bytes;) {
    begin_ = input_.size();
    const bool more = co_await receive(body_step);
    if (!more)
      co_return;
    taken += input_.size();
  }
}

void session::note(const exchange& now, unsigned status) const {
  const std::chrono::duration<double> took = clock::now() - now.started;
  const auto method = to_string(now.req.method);
  const auto pattern = now.pattern.empty() ? "none" : now.pattern;
  host_.at.parts.metrics.http_request(pattern, method, static_cast<int>(status),
                                      took.count());
  if (status < 500 && !log::debugs())
    return;
  const auto write = status >= 500 ? log::info : log::debug;
  write(status >= 500 ? "request failed" : "request served",
        {{"request", now.req.id},
         {"method", std::string{method}},
         {"path", std::string{now.req.target.path}},
         {"status", std::to_string(status)},
         {"seconds", std::to_string(took.count())}});
}

} // namespace troupe::net
