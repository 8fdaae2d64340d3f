#pragma once

#include "actors/store/redis_group.hpp"

#include <span>

/// Operations on a group, by the rules of `operations.hpp`.
namespace troupe::store {

/// Tells `group` what these operations need and reads it.
result<void> read_for(std::span<const operation> ops, redis_group& group);

/// Applies operations in order, until there are no more or the group is large
/// enough. @return an answer for each that was applied: for one at least
[[nodiscard]] std::vector<applied> perform_all(std::span<const operation> ops,
                                               redis_group& group);

} // namespace troupe::store
