#pragma once

#include "actors/store/job_store.hpp"

#include <string>
#include <variant>

namespace troupe::actors {

/// The job that an operation is about; empty if it is about none.
[[nodiscard]] inline std::string id_of(const store::operation& op) {
  return std::visit(
    [](const auto& it) -> std::string {
      if constexpr (requires { it.draft; })
        return it.draft.id;
      else if constexpr (requires { it.id; })
        return it.id;
      else
        return {};
    },
    op);
}

/// The fence of an outcome; null for what is no outcome.
[[nodiscard]] inline const store::fence*
outcome_fence(const store::operation& op) {
  if (const auto* it = std::get_if<store::succeed_op>(&op))
    return &it->fence;
  if (const auto* it = std::get_if<store::fail_op>(&op))
    return &it->fence;
  if (const auto* it = std::get_if<store::release_op>(&op))
    return &it->fence;
  return nullptr;
}

} // namespace troupe::actors
