#include "config/log.hpp"
#include "net/client_address.hpp"
#include "net/response_text.hpp"
#include "net/session_exchange.hpp"
#include "net/unsent_bound.hpp"

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
  kind_ = bare ? traffic::other : what.kind;
  if (kind_ != traffic::other)
    bound_unsent(socket_);
  bool sent = false;
  if (host_.at.pace && host_.at.pace->limits(kind_)) {
    sent = co_await pace(now, head, what);
  } else {
    sent = co_await send(head, body);
    if (sent && is_file)
      sent = co_await send_file(what);
  }
  kind_ = traffic::other;
  co_return sent&& now.use != connection_use::closed;
}

/// The same within its share of bandwidth; it has a body.
asio::awaitable<bool> session::pace(const exchange& now, std::string_view head,
                                    const response& what) {
  const auto who = sender_of(now, what);
  pacer::lane lane{*host_.at.pace, who, kind_};
  lane_ = &lane;
  std::string_view body;
  if (!what.file.fd)
    body = what.bytes();
  bool sent = co_await send_pieces(head, body);
  if (sent && what.file.fd)
    sent = co_await send_file(what);
  lane_ = nullptr;
  co_return sent;
}

sender session::sender_of(const exchange& now, const response& what) const {
  auto out = what.sender;
  if (out.owner.empty())
    out.owner = now.req.principal;
  if (out.owner.empty())
    out.owner = address_of(socket_);
  if (out.session.empty())
    out.session = '#' + std::to_string(number_);
  return out;
}

/// How many of so many bytes may be sent now; 0 if the connection is cut.
asio::awaitable<std::size_t> session::allowed(std::uint64_t bytes) {
  deadline_ = clock::time_point::max();
  if (!lane_)
    co_return bytes;
  co_return co_await lane_->wait(bytes);
}

asio::awaitable<bool> session::send_pieces(std::string_view head,
                                           std::string_view body) {
  if (body.empty())
    co_return co_await send(head, body);
  while (!body.empty()) {
    const auto size = co_await allowed(body.size());
    if (size == 0)
      co_return false;
    const bool sent = co_await send(head, body.substr(0, size));
    if (!sent)
      co_return false;
    head = {};
    body.remove_prefix(size);
  }
  co_return true;
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
    if (kind_ != traffic::other)
      host_.at.parts.metrics.sent_bytes(to_string(kind_), sent - of_head);
    if (left[0].size() + left[1].size() == 0)
      co_return true;
  }
}

asio::awaitable<bool> session::send_file(const response& what) {
  if (what.parts.empty())
    co_return co_await send_slice(what.file);
  for (const auto& part : what.parts) {
    bool sent = co_await send({}, part.head);
    if (!sent)
      co_return false;
    file_slice slice{what.file.fd, part.offset, part.length};
    sent = co_await send_slice(std::move(slice));
    if (!sent)
      co_return false;
  }
  co_return co_await send({}, what.body);
}

asio::awaitable<bool> session::send_slice(file_slice file) {
  while (file.length > 0) {
    const auto size = co_await allowed(file.length);
    if (size == 0)
      co_return false;
    file_slice part{file.fd, file.offset, size};
    auto reading = read_blocking(std::move(part));
    const auto block = co_await asio::co_spawn(
      host_.at.files, std::move(reading), asio::use_awaitable);
    // The length is promised already: a file that shrank ends the connection.
    if (block.empty())
      co_return false;
    const bool sent = co_await send({}, block);
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
