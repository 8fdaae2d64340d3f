#pragma once

#include "actors/store/transaction.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::store {

/// True for what a job can leave to others: `source`, or `result.FIELD`.
[[nodiscard]] bool can_be_handed_on(std::string_view what) noexcept;

/// The first that `params` ask one of these jobs for and none can leave, as it
/// stands there.
[[nodiscard]] std::optional<std::string>
never_handed_on(std::string_view params,
                const std::vector<std::string>& parents);

/// Puts what a job's parents have left into its `params`, where they hold
/// - `{{job:ID.source}}`: `job:ID`, the source that is that job's result file;
/// - `{{job:ID.result.FIELD}}`: the field of that job's result, a dot for each
///   step into it. A text that consists of nothing else becomes the value
///   itself, of whatever type; within a text it is written out.
/// @param changed set when `params` have changed
/// @return why it cannot be done, for people; `params` are then as they were
std::optional<std::string> hand_on(job& child, bool& changed, transaction& in);

} // namespace troupe::store
