#pragma once

#include <string>
#include <string_view>

namespace troupe::media {

/// The bytes that pairs of hex digits stand for; the digits were checked.
[[nodiscard]] std::string bytes_of_hex(std::string_view digits);

/// RFC 4648, section 5, without padding.
[[nodiscard]] std::string base64url(std::string_view bytes);

} // namespace troupe::media
