#pragma once

#include "config/result.hpp"

#include <optional>
#include <string_view>

namespace troupe::net {

/// Reads an RFC 3339 date and time, of any zone, years 1970 to 9999; fractions
/// beyond milliseconds are cut off. Nothing for what is no such time, leap
/// seconds included.
[[nodiscard]] std::optional<timestamp_ms> parse_rfc3339(std::string_view text);

} // namespace troupe::net
