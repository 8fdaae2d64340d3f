#pragma once

#include <algorithm>
#include <string_view>

namespace troupe::net {

/// A job's id in a path is a store's key: what cannot be one is not asked for.
[[nodiscard]] inline bool is_job_id(std::string_view id) {
  return !id.empty() && id.size() <= 64 && std::ranges::all_of(id, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
           || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  });
}

} // namespace troupe::net
