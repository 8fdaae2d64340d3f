#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace troupe::actors {

/// Why a pool has the slots it has.
enum class scale_reason : std::uint8_t {
  steady,     ///< nothing asks for a change
  queue_age,  ///< its jobs wait: it grew
  idle,       ///< it was not half used for long: it shrank
  cpu,        ///< the CPU is too busy to grow
  ceiling,    ///< its jobs wait, and there are no more slots
  low_memory, ///< claims nothing
  low_disk,   ///< claims nothing
  recovered,  ///< claims again
};

[[nodiscard]] std::string_view to_string(scale_reason reason) noexcept;

struct scale_limits {
  std::uint32_t floor = 1; ///< at most `ceiling`
  std::uint32_t ceiling = 1;
  double grow_after_s = 1;
  double shrink_after_s = 30;
  double max_cpu = 0.95;
  double min_memory = 0; ///< free shares; 0: never held for want of it
  double min_disk = 0;
};

/// What a pool and its machine look like.
struct scale_signals {
  std::chrono::steady_clock::time_point now{};
  std::uint32_t busy = 0;   ///< most slots in use since the last look
  std::uint64_t queued = 0; ///< jobs in its queue
  double oldest_age_s = 0;  ///< of them
  double cpu = 0;           ///< busy share
  double memory = 1;        ///< free share
  double disk = 1;          ///< free share of the fullest disk
};

struct scale_decision {
  std::uint32_t slots = 0;
  bool held = false; ///< nothing may be claimed
  scale_reason reason = scale_reason::steady;

  bool operator==(const scale_decision&) const = default;
};

/// Decides how many jobs a pool may run at once. It grows by half while jobs
/// wait and all slots are in use. After a long time of too little work it gives
/// back half of what is unused at each look: a short pause costs nothing.
/// A lack of memory or disk stops it at once and ends only when there is half
/// as much more than the least.
/// Invariant: floor ≤ slots ≤ ceiling.
class pool_scale {
public:
  explicit pool_scale(scale_limits limits);

  [[nodiscard]] scale_decision decide(const scale_signals& now);

  [[nodiscard]] const scale_limits& limits() const noexcept {
    return limits_;
  }
  [[nodiscard]] std::uint32_t slots() const noexcept {
    return slots_;
  }

private:
  bool lacks(double share, double least, bool lacked) const;
  scale_reason move(const scale_signals& now);

  scale_limits limits_;
  std::uint32_t slots_;
  bool no_memory_ = false;
  bool no_disk_ = false;
  bool idle_ = false; ///< since `idle_since_`
  std::chrono::steady_clock::time_point idle_since_{};
};

} // namespace troupe::actors
