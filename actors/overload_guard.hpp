#pragma once

#include "actors/rate_meter.hpp"
#include "actors/store/job_store.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>

namespace troupe::actors {

struct overload_limits {
  double max_age_s = 0;        ///< of a queue's oldest job; 0: no limit
  std::uint64_t max_depth = 0; ///< of jobs in a queue; 0: no limit
};

/// Says when a queue has enough: a job that would wait longer than `max_age_s`,
/// as far as that can be told from how many jobs wait already and how many have
/// ended of late, is better refused than taken. Between two looks at the queues
/// it counts what it lets in. With limits of 0 it refuses nothing and asks for
/// no looks.
class overload_guard {
public:
  using clock = std::chrono::steady_clock;

  explicit overload_guard(overload_limits limits = {}) : limits_(limits) {}

  /// The figures are too old to judge by.
  [[nodiscard]] bool wants_look(clock::time_point now) const;
  void look(std::span<const store::queue_depth> depths, clock::time_point now);

  /// An attempt of the queue has ended.
  void note_end(const std::string& queue, clock::time_point now);

  /// Lets so many jobs into the queue, or none.
  /// @return 0, or the seconds after which to ask again
  /// @param urgent somebody waits for them: they pass what has waited long, as
  /// long as that is no flood
  [[nodiscard]] std::uint32_t refuse(const std::string& queue,
                                     std::uint64_t jobs, clock::time_point now,
                                     bool urgent = false);

private:
  struct line {
    std::uint64_t queued = 0;
    double oldest_age_s = 0;
    std::uint64_t urgent = 0; ///< let in since the newest look
    rate_meter ended;
  };

  [[nodiscard]] bool is_on() const noexcept {
    return limits_.max_age_s > 0 || limits_.max_depth > 0;
  }

  overload_limits limits_;
  clock::time_point looked_at_{};
  std::map<std::string, line> lines_;
};

} // namespace troupe::actors
