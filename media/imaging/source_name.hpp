#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::media {

/// The one spelling of all that name the same source: escapes, `.`, `..` and
/// empty segments of `local:///` paths, what RFC 3986 (6.2) holds equal of
/// URLs, without their fragment. Anything else stays as it is.
[[nodiscard]] std::string plain_source(std::string_view source);

/// What is kept of a source is purged by; the same for all its spellings.
[[nodiscard]] std::uint64_t source_mark(std::string_view source);

} // namespace troupe::media
