#pragma once

#include "net/http.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::net {

/// How an answer's connection goes on.
enum class connection_use : std::uint8_t {
  kept,          ///< HTTP/1.1, which needs no word of it
  kept_and_told, ///< HTTP/1.0
  closed,
};

/// What an answer has that differs by origin; the first of `extra` beneath.
inline constexpr std::string_view vary_origin = "Vary: Origin\r\n";

/// Bytes of the body; of the whole of it for HEAD too.
[[nodiscard]] std::uint64_t body_size(const response& what) noexcept;

/// True for a status that never has a body (RFC 9110, 6.4.1).
[[nodiscard]] constexpr bool is_bodiless(unsigned status) noexcept {
  return status == 204 || status == 304 || status < 200;
}

/// Appends an answer's status line and fields (RFC 9112, 4 and 5), up to and
/// with the empty line.
/// @param extra complete lines, such as those of CORS. There is one `Vary`.
void append_head(std::string& out, const response& what,
                 std::string_view request_id, connection_use use,
                 std::string_view extra);

/// The present time as an IMF-fixdate (RFC 9110, 5.6.7). Valid until the
/// thread's next call.
[[nodiscard]] std::string_view http_date();

} // namespace troupe::net
