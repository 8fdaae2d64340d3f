#pragma once

#include "config/result.hpp"

#include <cstdint>
#include <string>

namespace troupe::store {

/// A moment at this server, to measure time by: what its clock says may be
/// wrong, and may be set.
struct moment {
  std::string boot;       ///< names the machine's uptime
  std::int64_t up_ms = 0; ///< since then, also while it slept
  timestamp_ms wall = 0;  ///< by its clock

  bool operator==(const moment&) const = default;
};

[[nodiscard]] moment moment_now();

/// By the uptime; across a restart of the machine by the clock, which was as
/// wrong before as it is then, or so one hopes. Never below 0.
[[nodiscard]] std::int64_t ms_between(const moment& from,
                                      const moment& to) noexcept;

} // namespace troupe::store
