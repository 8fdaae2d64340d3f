#pragma once

#include <mutex>
#include <optional>
#include <shared_mutex>

namespace troupe::media {

/// What an attempt writes passes here, so that nothing is written after it has
/// ended. For threads that may block. Thread-safe.
class file_gate {
public:
  using pass = std::shared_lock<std::shared_mutex>;

  /// Held while something is written; none once the gate is shut.
  [[nodiscard]] std::optional<pass> enter() {
    pass held{mutex_};
    if (shut_)
      return std::nullopt;
    return held;
  }

  /// Waits for what is being written.
  void shut() {
    const std::lock_guard lock{mutex_};
    shut_ = true;
  }

private:
  std::shared_mutex mutex_;
  bool shut_ = false;
};

} // namespace troupe::media
