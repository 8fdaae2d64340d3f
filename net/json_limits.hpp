#pragma once

#include "net/problem.hpp"

#include <optional>
#include <string_view>

namespace troupe::net {

/// Whether a text that simdjson does not take is JSON all the same, with
/// numbers that it cannot hold exactly or nested deeper than `max_depth`:
/// well-formed, but not valid. Far slower than simdjson.
/// @returns `invalid_params` with a pointer to each such number; nothing if
/// the text is no JSON.
[[nodiscard]] std::optional<problem> find_beyond_limits(std::string_view text);

} // namespace troupe::net
