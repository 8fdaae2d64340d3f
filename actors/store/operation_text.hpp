#pragma once

#include "actors/store/job_store.hpp"

#include <optional>
#include <string>
#include <string_view>

/// How operations lie in a log: the outcomes of attempts and submits, which
/// are all that can wait for a store.
namespace troupe::store {

/// @return nothing for an operation that cannot wait.
[[nodiscard]] std::optional<std::string> pack_operation(const operation& op);
/// @return nothing when the bytes are none of ours.
[[nodiscard]] std::optional<operation> unpack_operation(std::string_view bytes);

} // namespace troupe::store
