#include "net/beast_fields.hpp"
#include "net/session_exchange.hpp"
#include "net/upload.hpp"

#include <optional>
#include <utility>

namespace troupe::net {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::uint32_t max_header_bytes = 16 * 1024;
constexpr std::size_t head_step = 4096;
/// So much of an upload is written at once.
constexpr std::size_t upload_step = 256 * 1024;
/// Chunk headers and trailers that never end are cut off here.
constexpr std::size_t max_unparsed = 128 * 1024;

problem parse_problem(error_code error) {
  problem out{problem_code::invalid_request, error.message()};
  if (error == http::error::header_limit)
    out.status = 431;
  else if (error == http::error::body_limit)
    out.code = problem_code::body_too_large;
  return out;
}

} // namespace

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

} // namespace troupe::net
