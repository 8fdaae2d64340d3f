#pragma once

#include "actors/store/operation.hpp"
#include "actors/store/transaction.hpp"

/// What each operation does: the rules of `transitions.hpp`, carried out in a
/// transaction of any store.
namespace troupe::store {

[[nodiscard]] applied perform(const operation& op, transaction& in);

/// In 0…1.
[[nodiscard]] double random_share();

} // namespace troupe::store
