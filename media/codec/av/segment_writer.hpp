#pragma once

#include "config/result.hpp"
#include "media/codec/pointers.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace troupe::codec {

/// Init and fragment of one track, as ISO/IEC 14496-12 calls them.
struct segment_bytes {
  std::string init;
  std::string media;
};

/// What one segment is made of.
struct segment_parts {
  const AVCodecParameters* codec = nullptr;
  AVRational base; ///< of all times
  std::uint32_t sequence = 0;
  std::int64_t end = 0; ///< where the next one begins
  /// In the order of decoding, with times of presentation; not empty.
  std::vector<packet_ptr> packets;
};

/// Writes one CMAF segment, equal whoever writes it and whatever was written
/// before. Video is decoded by times that are made of those of presentation:
/// the fragment's begin is its first frame's, and all is shown `video_delay`
/// later, which the edit list of the init takes back.
/// `invalid_media` for what MP4 does not hold, or is out of order beyond that.
[[nodiscard]] result<segment_bytes> write_segment(segment_parts parts);

/// Seconds of the shift of presentation, in a fraction; hls.js needs less than
/// 2, players of old films more than their reordering.
inline constexpr AVRational video_delay{1, 5};

} // namespace troupe::codec
