#include "net/corked_socket.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <sys/socket.h>

#include <utility>

namespace troupe::net {

namespace asio = boost::asio;

namespace {

/// A buffer that once grew beyond this is given back when it is empty.
constexpr std::size_t kept_capacity = 16 * 1024;

/// `buffer = {}` would keep the room.
void give_back(std::string& buffer) {
  std::string{}.swap(buffer);
}

void empty(std::string& buffer) {
  if (buffer.capacity() > kept_capacity)
    give_back(buffer);
  else
    buffer.clear();
}

} // namespace

corked_socket::corked_socket(asio::ip::tcp::socket socket)
  : socket_{std::move(socket)} {
  error_code ignored; // The first write says what is wrong with it.
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
}

void corked_socket::append(std::string_view bytes) {
  const std::lock_guard lock{mutex_};
  if (!error_)
    out_.append(bytes);
}

void corked_socket::on_written(std::function<void()> call) {
  written_ = std::move(call);
}

corked_socket::clock::duration corked_socket::stalled() const {
  const std::lock_guard lock{mutex_};
  return unsent() == 0 ? clock::duration::zero() : clock::now() - moved_;
}

void corked_socket::flush() {
  std::unique_lock lock{mutex_};
  if (writing_ || error_ || out_.empty())
    return;
  moved_ = clock::now();
  error_code error;
  const auto bytes = socket_.write_some(asio::buffer(out_), error);
  if (error && error != asio::error::would_block) {
    lock.unlock();
    fail(error);
    return;
  }
  gone_ += bytes;
  if (bytes == out_.size()) {
    empty(out_);
    lock.unlock();
    tell();
    return;
  }
  std::swap(out_, flying_);
  left_ = bytes;
  writing_ = true;
  lock.unlock();
  if (bytes > 0)
    tell();
  write_on();
}

std::optional<corked_socket::written>
corked_socket::write_now(std::string_view bytes) {
  const std::lock_guard lock{mutex_};
  if (sealed_ || writing_ || error_ || !out_.empty())
    return std::nullopt;
  const auto sent = ::send(socket_.native_handle(), bytes.data(), bytes.size(),
                           MSG_NOSIGNAL | MSG_DONTWAIT);
  // Whatever is wrong, the io thread meets it too, and knows what to do.
  if (sent < 0)
    return std::nullopt;
  const auto taken = static_cast<std::size_t>(sent);
  gone_ += taken;
  moved_ = clock::now();
  if (taken == bytes.size())
    return written{true, gone_};
  flying_.assign(bytes.substr(taken));
  writing_ = true;
  asio::post(socket_.get_executor(),
             [self = shared_from_this()] { self->write_on(); });
  return written{false, gone_ + unsent()};
}

void corked_socket::seal() {
  const std::lock_guard lock{mutex_};
  sealed_ = true;
}

void corked_socket::write_on() {
  // `flying_` is touched by nobody else as long as `writing_`.
  if (failed_)
    return;
  socket_.async_write_some(
    asio::buffer(flying_) + left_,
    [self = shared_from_this()](error_code error, std::size_t bytes) {
      if (error)
        self->fail(error);
      else
        self->took(bytes);
    });
}

void corked_socket::took(std::size_t bytes) {
  bool more = false;
  {
    const std::lock_guard lock{mutex_};
    if (error_)
      return;
    moved_ = clock::now();
    gone_ += bytes;
    left_ += bytes;
    more = left_ < flying_.size();
    if (!more) {
      empty(flying_);
      left_ = 0;
      writing_ = false;
    }
  }
  tell();
  if (more)
    write_on();
  else
    flush();
}

/// Some bytes have left.
void corked_socket::tell() {
  if (written_)
    written_();
  const auto now = gone();
  while (!waiters_.empty() && waiters_.front().at <= now) {
    const auto done = std::move(waiters_.front().done);
    waiters_.pop_front();
    done({});
  }
}

void corked_socket::when_flushed(std::function<void(error_code)> done) {
  std::unique_lock lock{mutex_};
  if (unsent() > 0) {
    waiters_.push_back({gone_ + unsent(), std::move(done)});
    return;
  }
  const auto error = error_;
  lock.unlock();
  done(error);
}

void corked_socket::fail(error_code why) {
  {
    const std::lock_guard lock{mutex_};
    if (error_)
      return;
    error_ = why;
    failed_ = true;
    writing_ = false;
    give_back(out_);
    give_back(flying_);
    left_ = 0;
    error_code ignored; // It is of no use any more.
    socket_.close(ignored);
  }
  for (auto& waiting : std::exchange(waiters_, {}))
    waiting.done(why);
}

void corked_socket::cut() {
  fail(asio::error::operation_aborted);
}

} // namespace troupe::net
