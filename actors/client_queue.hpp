#pragma once

#include "actors/gateway.hpp"

#include <deque>
#include <string>
#include <unordered_map>

namespace troupe::actors {

/// Frames that wait for a slow reader. Of the progress of one job in one topic
/// only the newest waits; nothing else is ever dropped. Order is that of
/// arrival.
///
/// Invariant: `bytes_` and `snapshot_bytes_` are what waits; a replaced frame
/// is a null in `frames_`; `newest_` counts places from `popped_` on.
class client_queue {
public:
  void push(frame_ptr frame);
  /// The oldest one, or null if nothing waits.
  [[nodiscard]] frame_ptr pop();

  /// Of all but snapshots, which are as many as its owner asks for.
  [[nodiscard]] std::size_t bytes() const noexcept {
    return bytes_;
  }
  [[nodiscard]] std::size_t snapshot_bytes() const noexcept {
    return snapshot_bytes_;
  }

private:
  static std::string key_of(const frame& progress);
  std::size_t& count_of(const frame& of) noexcept;

  std::deque<frame_ptr> frames_;
  std::unordered_map<std::string, std::uint64_t> newest_;
  std::uint64_t popped_ = 0;
  std::size_t bytes_ = 0;
  std::size_t snapshot_bytes_ = 0;
};

} // namespace troupe::actors
