#pragma once

#include <string_view>

namespace troupe::net {

/// Whether a field of validators, such as If-None-Match, names this one
/// (RFC 9110, section 13.1).
[[nodiscard]] constexpr bool names(std::string_view list,
                                   std::string_view etag) noexcept {
  return list == "*" || list.find(etag) != list.npos;
}

/// The same for If-Match, where weak ones never match (RFC 9110, 8.8.3.2).
/// @param etag strong, quoted
[[nodiscard]] constexpr bool names_strongly(std::string_view list,
                                            std::string_view etag) noexcept {
  if (list == "*")
    return true;
  for (auto at = list.find(etag); at != list.npos; at = list.find(etag, at + 1))
    if (at < 2 || list.substr(at - 2, 2) != "W/")
      return true;
  return false;
}

} // namespace troupe::net
