#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace troupe::media {

/// Tells how late an event loop runs a timer: for so long something else held
/// it. A hold that is shorter than the timer's period is seen by chance.
class loop_watch : public std::enable_shared_from_this<loop_watch> {
public:
  /// In seconds; on the loop.
  using lag_heard = std::function<void(double seconds)>;

  /// @param goes_on asked each time; once it says no, the watch rests
  loop_watch(boost::asio::any_io_executor loop,
             std::chrono::milliseconds period, lag_heard heard,
             std::function<bool()> goes_on)
    : timer_(std::move(loop)), period_(period), heard_(std::move(heard)),
      goes_on_(std::move(goes_on)) {}

  /// On the loop; does nothing if it watches already.
  void start() {
    if (watching_)
      return;
    watching_ = true;
    wait();
  }

private:
  void wait() {
    timer_.expires_after(period_);
    timer_.async_wait([self = shared_from_this()](auto error) {
      self->watching_ = !error && self->goes_on_();
      if (error)
        return;
      const std::chrono::duration<double> late =
        std::chrono::steady_clock::now() - self->timer_.expiry();
      self->heard_(late.count());
      if (self->watching_)
        self->wait();
    });
  }

  boost::asio::steady_timer timer_;
  const std::chrono::milliseconds period_;
  const lag_heard heard_;
  const std::function<bool()> goes_on_;
  bool watching_ = false;
};

} // namespace troupe::media
