#pragma once

#include "actors/store/batch.hpp"

#include <string>

namespace troupe::store {

/// A batch as clients see it: what it was made with, and `total`, `counts` (by
/// state), `fraction` (of jobs that have ended), `state` (`running` or
/// `finished`) and times.
/// @param now the present time, for `eta_s`; 0: that is not told
void append_json(std::string& out, const batch& it, timestamp_ms now = 0);

[[nodiscard]] std::string to_json(const batch& it, timestamp_ms now = 0);

} // namespace troupe::store
