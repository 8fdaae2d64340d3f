#pragma once

#include "media/av/task.hpp"
#include "media/codec/av/source.hpp"

#include <vector>

namespace troupe::codec {

/// What is known of the streams that can be played; of thousands, the first
/// few dozen. @pre `look_into`
[[nodiscard]] std::vector<media::av_track> describe_tracks(av_source& source);

/// Clockwise, to be shown: 0, 90, 180 or 270.
[[nodiscard]] int rotation_of(const AVStream& stream);

[[nodiscard]] std::vector<media::av_chapter>
describe_chapters(const AVFormatContext& input);

/// Fills in what only the pictures themselves say: their pixels, whether they
/// are interlaced. @param packet a key of the stream
void describe_picture(const AVStream& stream, const AVPacket& packet,
                      media::av_track& track);

} // namespace troupe::codec
