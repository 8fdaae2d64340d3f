#pragma once

#include <string_view>

namespace troupe::net {

/// Whether a field of validators, such as If-None-Match, names this one
/// (RFC 9110, section 13.1).
[[nodiscard]] constexpr bool names(std::string_view list,
                                   std::string_view etag) noexcept {
  return list == "*" || list.find(etag) != list.npos;
}

} // namespace troupe::net
