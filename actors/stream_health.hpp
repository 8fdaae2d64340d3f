#pragma once

#include "config/result.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::actors {

/// One segment that a player was given, or was not.
struct segment_note {
  bool video = true;  ///< or the only kind that there is
  std::string line;   ///< rendition
  double begin_s = 0; ///< on the film's time line
  double end_s = 0;
  double wait_s = 0; ///< for it
  double speed = 0;  ///< of its making, times real time; 0: it was there
  std::uint64_t bytes = 0;
  std::uint32_t tries = 0; ///< children it took beyond the first
  bool failed = false;
};

enum class health_state : std::uint8_t { good, degraded, failing };

[[nodiscard]] std::string_view to_string(health_state state) noexcept;

[[nodiscard]] inline double
seconds_in(std::chrono::steady_clock::duration time) noexcept {
  return std::chrono::duration<double>(time).count();
}

/// How a stream's player fares, by what it asks for and when: it plays from the
/// first segment on, and what it has in hand is the end of the last segment
/// that it was given, less the time since. A segment that does not follow the
/// last is a seek: playing begins anew.
class stream_health {
public:
  using clock = std::chrono::steady_clock;

  explicit stream_health(clock::time_point opened) : opened_(opened) {}

  void note(const segment_note& what, clock::time_point now);
  /// What the player says of itself (CTA-5004), as it came.
  void say(std::string_view cmcd);

  [[nodiscard]] health_state state(clock::time_point now) const;
  /// JSON object.
  [[nodiscard]] std::string json(clock::time_point now) const;
  [[nodiscard]] std::uint32_t quality_changes() const {
    return quality_changes_;
  }

private:
  [[nodiscard]] std::optional<double> lead_s(clock::time_point now) const;
  [[nodiscard]] std::vector<std::string> reasons(clock::time_point now) const;
  void follow(const segment_note& what, clock::time_point now);
  void forget(clock::time_point now);

  clock::time_point opened_;
  std::optional<double> startup_s_; ///< from its opening to a segment of video
  std::optional<clock::time_point> began_; ///< when playing began, or went on
  double began_at_s_ = 0;                  ///< and where
  double end_s_ = 0; ///< of the last segment of video given
  std::string line_;
  double wait_s_ = 0;  ///< mean of late, for a segment
  double speed_ = 0;   ///< the same, of making
  double bitrate_ = 0; ///< the same, of what was given
  std::uint64_t bytes_ = 0;
  std::uint32_t segments_ = 0, stalls_ = 0, seeks_ = 0, restarts_ = 0;
  std::uint32_t quality_changes_ = 0;
  std::deque<clock::time_point> stalled_; ///< of the last minute
  std::deque<clock::time_point> failed_;
  std::string cmcd_;
};

} // namespace troupe::actors
