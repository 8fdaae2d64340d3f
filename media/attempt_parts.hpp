#pragma once

#include "media/attempt.hpp"
#include "media/runtime.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <utility>

/// What attempts that work on the io thread have in common.
namespace troupe::media {

/// Tells a sink once a second that its attempt lives, until it is stopped or
/// goes. On the io thread.
class heartbeat {
public:
  explicit heartbeat(runtime& threads)
    : clock_(std::make_shared<clock>(threads)) {}
  heartbeat(const heartbeat&) = delete;
  heartbeat& operator=(const heartbeat&) = delete;
  ~heartbeat() {
    stop();
  }

  void start(std::weak_ptr<attempt_sink> sink) {
    clock_->sink = std::move(sink);
    beat(clock_);
  }

  void stop() {
    clock_->sink.reset();
    clock_->timer.cancel();
  }

private:
  struct clock {
    explicit clock(runtime& threads) : timer(threads.io()) {}
    boost::asio::steady_timer timer;
    std::weak_ptr<attempt_sink> sink; ///< none: stopped
  };

  static void beat(const std::shared_ptr<clock>& of) {
    const auto sink = of->sink.lock();
    if (!sink)
      return;
    sink->on_beat();
    of->timer.expires_after(std::chrono::seconds{1});
    of->timer.async_wait([of](boost::system::error_code stopped) {
      if (!stopped)
        beat(of);
    });
  }

  std::shared_ptr<clock> clock_;
};

/// An attempt of work that outlives it: `start()`, `stop(errc)`, and
/// `abandon()` when nobody listens any more, each from any thread.
template <class Work>
class shared_work final : public attempt {
public:
  explicit shared_work(std::shared_ptr<Work> work) : work_(std::move(work)) {}
  ~shared_work() override {
    work_->abandon();
  }
  void start() override {
    work_->start();
  }
  void cancel(errc why) override {
    work_->stop(why);
  }

private:
  std::shared_ptr<Work> work_;
};

} // namespace troupe::media
