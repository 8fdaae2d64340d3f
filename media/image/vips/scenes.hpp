#pragma once

#include "media/codec/video_frames.hpp"

#include <cstdint>
#include <vector>

namespace troupe::codec {

/// Seconds at which a video's scenes begin, in order: the first, and those of
/// up to `most` before which the picture changes most. A long video is looked
/// at in 400 places, at pictures that need no others, which encoders put where
/// scenes begin. Empty if nothing can be decoded. @pre `most` is not 0
[[nodiscard]] std::vector<double> find_scenes(video_frames& video,
                                              std::uint32_t most);

} // namespace troupe::codec
