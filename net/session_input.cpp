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
/// Chunk headers that never end are cut off here.
constexpr std::size_t max_unparsed = 128 * 1024;
/// Of all chunks of a body; nobody reads them (RFC 9112, 7.1.1).
constexpr std::size_t max_extensions = 16 * 1024;

/// A line that goes on in the next one (RFC 9112, 5.2).
bool has_fold(std::string_view header) {
  for (auto at = header.find('\n'); at != header.npos;
       at = header.find('\n', at + 1))
    if (at + 1 < header.size()
        && (header[at + 1] == ' ' || header[at + 1] == '\t'))
      return true;
  return false;
}

/// What chunks say besides their bytes.
struct chunk_notes {
  std::size_t extensions = 0;    ///< bytes of them
  const char* trailer = nullptr; ///< behind the last chunk's header
};

/// The same of a last chunk that waits for its trailer's end; nothing if that
/// has not begun.
const char* trailer_in(std::string_view waits) {
  if (waits.starts_with("\r\n"))
    waits.remove_prefix(2);
  const auto end = waits.find('\n');
  return end == waits.npos ? nullptr : waits.data() + end + 1;
}

/// What is wrong with the trailer of a body, of which so much has come (RFC
/// 9112, 7.1.2).
std::optional<problem> trailer_fault(const char* from, const char* to) {
  if (from == nullptr)
    return std::nullopt;
  const std::string_view trailer{from, static_cast<std::size_t>(to - from)};
  if (trailer.size() > max_header_bytes)
    return problem{problem_code::header_too_large,
                   "the body's trailer is larger than 16 KiB"};
  if (has_fold(trailer))
    return problem{problem_code::invalid_request,
                   "a field of the trailer goes on in the next line"};
  return std::nullopt;
}

problem parse_problem(error_code error) {
  problem out{problem_code::invalid_request, error.message()};
  if (error == http::error::header_limit)
    out.code = problem_code::header_too_large;
  else if (error == http::error::body_limit)
    out.code = problem_code::body_too_large;
  return out;
}

/// @param waits what the parser has not taken
std::optional<problem> body_fault(error_code error, const chunk_notes& chunks,
                                  std::string_view waits) {
  if (!error)
    return trailer_fault(chunks.trailer, waits.data());
  if (error != http::error::need_more)
    return parse_problem(error);
  if (auto fault =
        trailer_fault(trailer_in(waits), waits.data() + waits.size()))
    return fault;
  if (waits.size() > max_unparsed)
    return parse_problem(http::error::bad_chunk_extension);
  return std::nullopt;
}

} // namespace

/// Of a request that does not go on: a slow one is answered, if it is one.
asio::awaitable<bool> session::give_up(exchange& now) {
  if (!late_)
    co_return false;
  const auto refusal =
    answer({problem_code::request_timeout, "the request came too slowly"});
  co_return co_await refuse(now, refusal);
}

/// Clients of old end a body with one (RFC 9112, 2.2).
void session::skip_empty_lines() {
  while (input_.size() - begin_ >= 2 && input_[begin_] == '\r'
         && input_[begin_ + 1] == '\n')
    begin_ += 2;
}

asio::awaitable<bool> session::read_head(exchange& now) {
  auto& parser = now.parser;
  parser.header_limit(max_header_bytes);
  parser.body_limit(boost::none);
  wait_at_most(seconds{host_.at.settings.header_timeout_s});
  for (std::size_t taken = 0;;) {
    if (!parser.got_some())
      skip_empty_lines();
    error_code error;
    const std::string_view waits{input_.data() + begin_,
                                 input_.size() - begin_};
    const bool half_a_line = !parser.got_some() && waits == "\r";
    std::size_t used = 0;
    if (!waits.empty() && !half_a_line)
      used = parser.put(asio::buffer(waits), error);
    begin_ += used;
    taken += used;
    // The parser's own limit is for what it has not taken yet.
    if (taken > max_header_bytes)
      error = http::error::header_limit;
    if (error && error != http::error::need_more) {
      const auto refusal = answer(parse_problem(error));
      co_return co_await refuse(now, refusal);
    }
    if (has_fold(waits.substr(0, used))) {
      const auto refusal =
        answer({problem_code::invalid_request,
                "a field of the header goes on in the next line"});
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
  chunk_notes chunks;
  auto hear = [&chunks](std::uint64_t size, boost::beast::string_view told,
                        error_code& error) {
    chunks.extensions += told.size();
    if (chunks.extensions > max_extensions)
      error = http::error::bad_chunk_extension;
    if (size == 0)
      chunks.trailer = told.data() + told.size() + 2;
  };
  parser.on_chunk_header(hear);
  const seconds limit{host_.at.settings.body_timeout_s};
  wait_at_most(limit);
  for (std::size_t taken = 0;;) {
    error_code error;
    const auto used = parser.put(
      asio::buffer(input_.data() + begin_, input_.size() - begin_), error);
    begin_ += used;
    taken += used;
    const std::string_view waits{input_.data() + begin_,
                                 input_.size() - begin_};
    if (const auto fault = body_fault(error, chunks, waits)) {
      const auto refusal = answer(*fault);
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
