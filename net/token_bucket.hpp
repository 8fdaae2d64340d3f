#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>

namespace troupe::net {

/// Lets `rate` bytes a second through, and at most `burst` at once; full at
/// first. A rate of 0 lets everything through.
///
/// Invariant: `tokens_` is what could be taken at `at_`, at most `burst_`.
class token_bucket {
public:
  using time = std::chrono::steady_clock::time_point;

  token_bucket(double rate, double burst, time now)
    : rate_{rate}, burst_{burst}, tokens_{burst}, at_{now} {}

  /// From now on; what had gathered stays as far as there is room.
  void limit(double rate, double burst, time now) {
    fill(now);
    // What was unlimited had nothing gathered, and is full.
    tokens_ = rate_ > 0 ? std::min(tokens_, burst) : burst;
    rate_ = rate;
    burst_ = burst;
  }

  /// When so many bytes may be taken; not after `now` if they may be already.
  /// @pre `bytes` is at most the burst, if there is a limit
  [[nodiscard]] time ready(std::size_t bytes, time now) {
    fill(now);
    const auto missing = static_cast<double>(bytes) - tokens_;
    if (rate_ <= 0 || missing <= 0)
      return now;
    constexpr double ns_per_s = 1e9;
    const auto wait = std::ceil(missing / rate_ * ns_per_s) + 1;
    return now + std::chrono::nanoseconds{static_cast<std::int64_t>(wait)};
  }

  /// @pre `ready` said so
  void take(std::size_t bytes) {
    if (rate_ > 0)
      tokens_ -= static_cast<double>(bytes);
  }

private:
  void fill(time now) {
    if (now <= at_)
      return;
    const std::chrono::duration<double> gone = now - at_;
    tokens_ = std::min(burst_, tokens_ + rate_ * gone.count());
    at_ = now;
  }

  double rate_;
  double burst_;
  double tokens_;
  time at_;
};

} // namespace troupe::net
