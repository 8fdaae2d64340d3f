#include "config/log.hpp"
#include "net/response_text.hpp"
#include "net/session_exchange.hpp"

#include <boost/asio/co_spawn.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>

namespace troupe::net {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t file_step = 256 * 1024;
/// What is still taken, and how long, of a body that nobody reads, so that the
/// answer is not lost to a reset.
constexpr std::size_t linger_bytes = 8 << 20;
constexpr std::chrono::seconds linger_time{3};

asio::awaitable<std::string> read_blocking(file_slice part) {
  std::string block(std::min<std::uint64_t>(part.length, file_step), '\0');
  const auto got = ::pread(part.fd->get(), block.data(), block.size(),
                           static_cast<off_t>(part.offset));
  block.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  co_return block;
}

} // namespace

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
    body = what.bytes();
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
      std::tie(error, sent) =
        co_await socket_.async_write_some(left, with_error);
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
