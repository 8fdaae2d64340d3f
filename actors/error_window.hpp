#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

namespace troupe::actors {

/// The share of a pool's attempts that failed within the last minute, from
/// counts that only rise. Invariant: `marks_` are in order of time, and but the
/// first of them none is older than a minute.
class error_window {
public:
  using clock = std::chrono::steady_clock;

  /// Counts that fell are those of a new life: it begins anew.
  void note(clock::time_point now, std::uint64_t ended, std::uint64_t failed) {
    if (!marks_.empty() && ended < marks_.back().ended)
      marks_.clear();
    marks_.push_back({now, ended, failed});
    while (marks_.size() > 1 && now - marks_[1].at >= std::chrono::minutes{1})
      marks_.pop_front();
  }

  /// 0 if fewer than ten ended.
  [[nodiscard]] double share() const {
    if (marks_.empty())
      return 0;
    const auto ended = marks_.back().ended - marks_.front().ended;
    const auto failed = marks_.back().failed - marks_.front().failed;
    return ended < 10
             ? 0
             : static_cast<double>(failed) / static_cast<double>(ended);
  }

private:
  struct mark {
    clock::time_point at;
    std::uint64_t ended = 0;
    std::uint64_t failed = 0;
  };
  std::deque<mark> marks_;
};

} // namespace troupe::actors
