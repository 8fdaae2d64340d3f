#pragma once

#include "config/result.hpp"

#include <string>
#include <string_view>

namespace troupe::store {

/// An id of the form of a ULID that is always the same for the same `time` and
/// `name`: 80 bits of the name's SHA-256 stand where others have random ones.
[[nodiscard]] std::string derived_id(timestamp_ms time, std::string_view name);

} // namespace troupe::store
