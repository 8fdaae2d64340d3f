#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe::media {

/// Makes one path segment of any text: valid UTF-8 (NFC left as it is), no
/// separators (those of Windows shares included), control or bidi characters,
/// no leading or trailing dot or space, no reserved device name, at most
/// `max_bytes` bytes cut between code points. Never empty: `fallback` then.
[[nodiscard]] std::string safe_segment(std::string_view text,
                                       std::string_view fallback,
                                       std::size_t max_bytes = 180);

/// The longest beginning of valid UTF-8 that has at most `max_bytes` bytes and
/// ends between code points.
[[nodiscard]] std::string cut_utf8(std::string_view text,
                                   std::size_t max_bytes);

} // namespace troupe::media
