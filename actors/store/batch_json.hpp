#pragma once

#include "actors/store/batch.hpp"

#include <string>

namespace troupe::store {

/// A batch as clients see it: what it was made with, and `total`, `counts` (by
/// state), `fraction` (of jobs that have ended), `state` (`running` or
/// `finished`) and times.
void append_json(std::string& out, const batch& it);

[[nodiscard]] std::string to_json(const batch& it);

} // namespace troupe::store
