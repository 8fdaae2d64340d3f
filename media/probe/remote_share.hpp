#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

namespace troupe::media {

/// How many probes may wait for remote servers at once, so that those that
/// hang leave slots to others. Used on the io thread alone; its places may
/// outlive it.
class remote_share {
public:
  using clock = std::chrono::steady_clock;
  using place = std::shared_ptr<void>;

  /// @param waited_for the same for probes that somebody waits for
  remote_share(std::size_t places, std::size_t waited_for);

  /// A place, until it is dropped; null: none is free.
  [[nodiscard]] place take(bool waited_for);

  /// Seconds after which to ask again. Who asks is spread out, so that many
  /// that wait cost little.
  [[nodiscard]] double next_turn(clock::time_point now = clock::now());

private:
  const place all_;
  const place waited_for_;
  const std::size_t most_;
  const std::size_t most_waited_for_;
  clock::time_point turn_; ///< the latest that was told
};

} // namespace troupe::media
