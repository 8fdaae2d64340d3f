#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

namespace troupe::actors {

/// How often something happened of late, per second over the last ten.
/// Invariant: `counts_[s % 10]` is the count of second `s`, for the ten seconds
/// up to `newest_`.
class rate_meter {
public:
  using clock = std::chrono::steady_clock;

  void count(clock::time_point now, std::uint64_t times = 1) {
    move_to(now);
    counts_[slot(newest_)] += times;
  }

  [[nodiscard]] double per_s(clock::time_point now) {
    move_to(now);
    std::uint64_t sum = 0;
    for (const auto count : counts_)
      sum += count;
    return static_cast<double>(sum) / seconds;
  }

private:
  static constexpr std::int64_t seconds = 10;

  static std::size_t slot(std::int64_t second) {
    return static_cast<std::size_t>(second % seconds);
  }

  void move_to(clock::time_point now) {
    const auto second =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch())
        .count();
    for (auto gone = std::max(newest_, second - seconds) + 1; gone <= second;
         ++gone)
      counts_[slot(gone)] = 0;
    newest_ = std::max(newest_, second);
  }

  std::array<std::uint64_t, seconds> counts_{};
  std::int64_t newest_ = 0;
};

} // namespace troupe::actors
