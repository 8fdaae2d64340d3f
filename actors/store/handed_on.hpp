#pragma once

#include "actors/store/transaction.hpp"

#include <optional>
#include <string>

namespace troupe::store {

/// Puts what a job's parents have left into its `params`, where they hold
/// - `{{job:ID.source}}`: `job:ID`, the source that is that job's result file;
/// - `{{job:ID.result.FIELD}}`: the field of that job's result, a dot for each
///   step into it. A text that consists of nothing else becomes the value
///   itself, of whatever type; within a text it is written out.
/// @param changed set when `params` have changed
/// @return why it cannot be done, for people; `params` are then as they were
std::optional<std::string> hand_on(job& child, bool& changed, transaction& in);

} // namespace troupe::store
