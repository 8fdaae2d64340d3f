#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::net {

/// A connection whose writes are corked: what is appended while a write is
/// under way goes out with the next, in one call. Used on the io thread, but
/// for `write_now`.
///
/// Invariant: `flying_` is being written exactly while `writing_`; `waiters_`
/// stand in the order of their `at`, all beyond `gone_`, which counts the bytes
/// that have left. `mutex_` guards all but `waiters_` and `written_`, which are
/// the io thread's; no callback is called under it.
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
  /// Writes what was appended, at once if the system takes it.
  void flush();
  /// Calls `done` when everything appended so far has left, or cannot leave;
  /// at once if that is so already.
  void when_flushed(std::function<void(error_code)> done);

  /// What became of `write_now`.
  struct written {
    bool all = false;      ///< has left; else the rest follows by itself
    std::uint64_t end = 0; ///< where it ends, by `gone`
  };
  /// Any thread: writes at once if nothing waits, so that many connections are
  /// written to in parallel. Nothing: something waits, or it does not go.
  [[nodiscard]] std::optional<written> write_now(std::string_view bytes);
  /// Nothing is written by `write_now` from here on.
  void seal();

  /// Called after each write but `write_now`'s; see `gone`.
  void on_written(std::function<void()> call);

  /// Appended, and not yet taken by the system.
  [[nodiscard]] std::size_t waiting() const {
    const std::lock_guard lock{mutex_};
    return unsent();
  }
  /// Bytes that have left so far, and with those that wait.
  [[nodiscard]] std::uint64_t gone() const {
    const std::lock_guard lock{mutex_};
    return gone_;
  }
  [[nodiscard]] std::uint64_t appended() const {
    const std::lock_guard lock{mutex_};
    return gone_ + unsent();
  }
  /// For how long the peer has taken nothing; 0 if nothing waits.
  [[nodiscard]] clock::duration stalled() const;
  [[nodiscard]] bool failed() const noexcept {
    return failed_;
  }

  /// Cuts the connection; reads and waiters end with an error.
  void cut();

private:
  struct waiter {
    std::uint64_t at;
    std::function<void(error_code)> done;
  };

  [[nodiscard]] std::size_t unsent() const noexcept {
    return out_.size() + flying_.size() - left_;
  }
  void write_on();
  void took(std::size_t bytes);
  void tell();
  void fail(error_code why);

  boost::asio::ip::tcp::socket socket_;
  mutable std::mutex mutex_;
  std::string out_;
  std::string flying_;
  std::size_t left_ = 0; ///< of `flying_`, bytes that have left
  std::uint64_t gone_ = 0;
  std::deque<waiter> waiters_;
  std::function<void()> written_;
  clock::time_point moved_{};
  error_code error_;
  std::atomic<bool> failed_ = false; ///< as `error_` says
  bool writing_ = false;
  bool sealed_ = false;
};

} // namespace troupe::net
