#pragma once

#include <string>
#include <string_view>

namespace troupe::media {

/// What a media playlist tells before it is fetched (RFC 8216, 4.3.3).
struct manifest_facts {
  bool live = false;         ///< HLS segments, and no EXT-X-ENDLIST
  std::string first_segment; ///< absolute; empty if there is none to be seen
};

/// @param base the playlist's own address, for what it names relatively.
/// Everything but an HLS media playlist has no facts.
[[nodiscard]] manifest_facts read_manifest(std::string_view text,
                                           std::string_view base);

} // namespace troupe::media
