#include "actors/pool_scale.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace troupe::actors {

namespace {

/// What holds a pool is over with so much more than the least.
constexpr double enough = 1.5;

} // namespace

std::string_view to_string(scale_reason reason) noexcept {
  constexpr std::array<std::string_view, 8> names{
    "steady",  "queue_age",  "idle",     "cpu",
    "ceiling", "low_memory", "low_disk", "recovered"};
  return names[static_cast<std::size_t>(reason)];
}

pool_scale::pool_scale(scale_limits limits)
  : limits_(limits), slots_(std::min(limits.floor, limits.ceiling)) {
  limits_.floor = slots_;
}

bool pool_scale::lacks(double share, double least, bool lacked) const {
  return least > 0 && share < (lacked ? least * enough : least);
}

scale_decision pool_scale::decide(const scale_signals& now) {
  const bool was_held = no_memory_ || no_disk_;
  no_memory_ = lacks(now.memory, limits_.min_memory, no_memory_);
  no_disk_ = lacks(now.disk, limits_.min_disk, no_disk_);
  if (no_memory_ || no_disk_) {
    idle_ = false;
    return {slots_, true,
            no_memory_ ? scale_reason::low_memory : scale_reason::low_disk};
  }
  if (was_held)
    return {slots_, false, scale_reason::recovered};
  const auto reason = move(now);
  return {slots_, false, reason};
}

scale_reason pool_scale::move(const scale_signals& now) {
  const bool wanted =
    now.queued > 0 && now.oldest_age_s >= limits_.grow_after_s;
  if (wanted && now.busy >= slots_) {
    idle_ = false;
    if (slots_ == limits_.ceiling)
      return scale_reason::ceiling;
    if (now.cpu > limits_.max_cpu)
      return scale_reason::cpu;
    slots_ = std::min(limits_.ceiling, slots_ + std::max(1u, slots_ / 2));
    return scale_reason::queue_age;
  }
  const bool idle = slots_ > limits_.floor && now.busy <= slots_ / 2;
  if (!idle || !std::exchange(idle_, idle)) {
    idle_ = idle;
    idle_since_ = now.now;
    return scale_reason::steady;
  }
  const std::chrono::duration<double> unused = now.now - idle_since_;
  if (unused.count() < limits_.shrink_after_s)
    return scale_reason::steady;
  const auto needed = std::max(limits_.floor, now.busy);
  slots_ -= std::max(1u, (slots_ - needed) / 2);
  return scale_reason::idle;
}

} // namespace troupe::actors
