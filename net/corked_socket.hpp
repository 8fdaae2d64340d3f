#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::net {

/// A connection whose writes are corked: what is appended while a write is
/// under way goes out with the next, in one call. Used on the io thread alone.
///
/// Invariant: `flying_` is being written exactly while `writing_`; `waiters_`
/// stand in the order of their `at`, all beyond `gone_`, which counts the bytes
/// that have left.
class corked_socket : public std::enable_shared_from_this<corked_socket> {
public:
  using error_code = boost::system::error_code;
  using clock = std::chrono::steady_clock;

  explicit corked_socket(boost::asio::ip::tcp::socket socket);

  [[nodiscard]] boost::asio::ip::tcp::socket& socket() noexcept {
    return socket_;
  }

  /// Appends without writing; see `flush`.
  void append(std::string_view bytes);
  /// To be appended to, until the next call of anything else.
  /// @pre not `failed()`
  [[nodiscard]] std::string& tail() noexcept {
    return out_;
  }
  /// Writes what was appended, at once if the system takes it.
  void flush();
  /// Calls `done` when everything appended so far has left, or cannot leave;
  /// at once if that is so already.
  void when_flushed(std::function<void(error_code)> done);

  /// Called after each write; see `gone`.
  void on_written(std::function<void()> call);

  /// Appended, and not yet taken by the system.
  [[nodiscard]] std::size_t waiting() const noexcept {
    return out_.size() + flying_.size() - left_;
  }
  /// Bytes that have left so far, and with those that wait.
  [[nodiscard]] std::uint64_t gone() const noexcept {
    return gone_;
  }
  [[nodiscard]] std::uint64_t appended() const noexcept {
    return gone_ + waiting();
  }
  /// For how long the peer has taken nothing; 0 if nothing waits.
  [[nodiscard]] clock::duration stalled() const;
  [[nodiscard]] bool failed() const noexcept {
    return static_cast<bool>(error_);
  }

  /// Cuts the connection; reads and waiters end with an error.
  void cut();

private:
  struct waiter {
    std::uint64_t at;
    std::function<void(error_code)> done;
  };

  void write_on();
  void wrote(std::size_t bytes);
  void fail(error_code why);

  boost::asio::ip::tcp::socket socket_;
  std::string out_;
  std::string flying_;
  std::size_t left_ = 0; ///< of `flying_`, bytes that have left
  std::uint64_t gone_ = 0;
  std::deque<waiter> waiters_;
  std::function<void()> written_;
  clock::time_point moved_{};
  error_code error_;
  bool writing_ = false;
};

} // namespace troupe::net
