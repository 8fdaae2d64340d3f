#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe::config {

/// A part of each day, in minutes after midnight, that has a limit of its own.
struct hours {
  std::uint32_t from = 0;  ///< below 1440
  std::uint32_t until = 0; ///< not in it; below `from`: on the next day
  std::uint64_t mbit = 0;  ///< a second; 0: no limit

  [[nodiscard]] bool holds(std::uint32_t minute) const noexcept {
    return from < until ? minute >= from && minute < until
                        : minute >= from || minute < until;
  }
};

/// Whether some minute is in both.
[[nodiscard]] inline bool overlap(const hours& a, const hours& b) noexcept {
  return a.holds(b.from) || b.holds(a.from);
}

/// Reads `HH:MM-HH:MM MBIT`, such as `22:00-06:00 100`; the end may be 24:00,
/// and is not the beginning.
[[nodiscard]] std::optional<hours> parse_hours(std::string_view text);

} // namespace troupe::config
