#pragma once

#include <string>
#include <string_view>

namespace troupe::media {

/// Makes one path segment of any text: valid UTF-8 (NFC left as it is), no
/// separators, control or bidi characters, no leading dot or trailing dot or
/// space, no reserved device name, at most `max_bytes` bytes cut between code
/// points. Never empty: `fallback` then.
[[nodiscard]] std::string safe_segment(std::string_view text,
                                       std::string_view fallback,
                                       std::size_t max_bytes = 180);

} // namespace troupe::media
