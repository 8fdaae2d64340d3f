#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::media {

/// Where a request to the proxy is to go.
struct proxy_target {
  std::string host; ///< without brackets, lower case
  std::uint16_t port = 0;
  std::string path; ///< of absolute-form: path and query, never empty

  /// For a Host header: brackets around IPv6, port 80 left out.
  [[nodiscard]] std::string authority() const;
};

/// `host:port` of CONNECT (RFC 9110, 9.3.6).
[[nodiscard]] std::optional<proxy_target>
parse_connect_target(std::string_view text);

/// `http://host[:port]/path?query` (RFC 9112, 3.2.2). User information is
/// refused, a fragment cut off.
[[nodiscard]] std::optional<proxy_target>
parse_absolute_target(std::string_view text);

/// Seconds of a Retry-After (RFC 9110, 10.2.3): a number, or an HTTP-date in
/// any of its three forms, counted from `now` (Unix seconds). 0 for what is
/// neither or past; a day at most.
[[nodiscard]] double parse_retry_after(std::string_view text, std::int64_t now);

/// The user of Basic credentials (RFC 7617), empty if there are none.
[[nodiscard]] std::string basic_user(std::string_view header);

} // namespace troupe::media
