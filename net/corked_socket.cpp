#include "net/corked_socket.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include <utility>

namespace troupe::net {

namespace asio = boost::asio;

namespace {

/// A buffer that once grew beyond this is given back when it is empty.
constexpr std::size_t kept_capacity = 64 * 1024;

void empty(std::string& buffer) {
  if (buffer.capacity() > kept_capacity)
    buffer = {};
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
  if (!error_)
    out_.append(bytes);
}

void corked_socket::on_written(std::function<void()> call) {
  written_ = std::move(call);
}

corked_socket::clock::duration corked_socket::stalled() const {
  return waiting() == 0 ? clock::duration::zero() : clock::now() - moved_;
}

void corked_socket::flush() {
  if (writing_ || error_ || out_.empty())
    return;
  moved_ = clock::now();
  error_code error;
  const auto bytes = socket_.write_some(asio::buffer(out_), error);
  if (error && error != asio::error::would_block) {
    fail(error);
    return;
  }
  if (bytes == out_.size()) {
    empty(out_);
    wrote(bytes);
    return;
  }
  std::swap(out_, flying_);
  left_ = bytes;
  writing_ = true;
  if (bytes > 0)
    wrote(bytes);
  write_on();
}

void corked_socket::write_on() {
  socket_.async_write_some(
    asio::buffer(flying_) + left_,
    [self = shared_from_this()](error_code error, std::size_t bytes) {
      if (error) {
        self->fail(error);
        return;
      }
      self->moved_ = clock::now();
      self->left_ += bytes;
      if (self->left_ < self->flying_.size()) {
        self->wrote(bytes);
        self->write_on();
        return;
      }
      empty(self->flying_);
      self->left_ = 0;
      self->writing_ = false;
      self->wrote(bytes);
      self->flush();
    });
}

void corked_socket::wrote(std::size_t bytes) {
  gone_ += bytes;
  if (written_)
    written_();
  while (!waiters_.empty() && waiters_.front().at <= gone_) {
    const auto done = std::move(waiters_.front().done);
    waiters_.pop_front();
    done({});
  }
}

void corked_socket::when_flushed(std::function<void(error_code)> done) {
  if (waiting() == 0)
    done(error_);
  else
    waiters_.push_back({gone_ + waiting(), std::move(done)});
}

void corked_socket::fail(error_code why) {
  if (error_)
    return;
  error_ = why;
  writing_ = false;
  out_ = {};
  flying_ = {};
  left_ = 0;
  for (auto& waiting : std::exchange(waiters_, {}))
    waiting.done(why);
  error_code ignored; // It is of no use any more.
  socket_.close(ignored);
}

void corked_socket::cut() {
  fail(asio::error::operation_aborted);
}

} // namespace troupe::net
