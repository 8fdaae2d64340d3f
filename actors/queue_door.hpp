#pragma once

#include "actors/answer.hpp"
#include "actors/messages.hpp"

#include <cstdint>
#include <limits>
#include <mutex>
#include <utility>

namespace troupe::actors {

/// The way to the queue and the monitor of the day, for all outside, and the
/// count of the answers that they are owed. Thread-safe.
class queue_door {
public:
  /// @param most answers owed; beyond, nobody should ask
  explicit queue_door(
    queue_actor queue = {},
    std::uint32_t most = std::numeric_limits<std::uint32_t>::max())
    : most_{most}, queue_{std::move(queue)} {}

  void meet(queue_actor queue) {
    const std::lock_guard lock{mutex_};
    std::swap(queue_, queue);
  }

  void meet(monitor_actor monitor) {
    const std::lock_guard lock{mutex_};
    std::swap(monitor_, monitor);
  }

  /// Null while it is being replaced.
  [[nodiscard]] monitor_actor monitor() const {
    const std::lock_guard lock{mutex_};
    return monitor_;
  }

  /// Null while it is being replaced.
  [[nodiscard]] queue_actor queue() const {
    const std::lock_guard lock{mutex_};
    return queue_;
  }

  [[nodiscard]] bool is_full() const {
    return *owed_ >= most_;
  }

  /// For the answers of counted asks.
  [[nodiscard]] const in_flight& owed() const noexcept {
    return owed_;
  }

private:
  const std::uint32_t most_;
  const in_flight owed_ = std::make_shared<std::atomic<std::uint32_t>>(0);
  mutable std::mutex mutex_;
  queue_actor queue_;
  monitor_actor monitor_;
};

} // namespace troupe::actors
