#pragma once

#include "actors/store/operation.hpp"
#include "actors/store/transaction.hpp"

/// What each operation does: the rules of `transitions.hpp`, carried out in a
/// transaction of any store.
namespace troupe::store {

/// Begins a kept answer that was another job, which a packed job never does.
inline constexpr std::string_view held_mark = "held:";

[[nodiscard]] applied perform(const operation& op, transaction& in);

/// What a submit still asks for: of a delay that has begun, the rest.
[[nodiscard]] job_draft left_of(const submit_op& op, const moment& now);

/// In 0…1.
[[nodiscard]] double random_share();

} // namespace troupe::store
