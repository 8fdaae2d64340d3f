#pragma once

#include "config/result.hpp"
#include "media/av/task.hpp"
#include "media/codec/av/source.hpp"

namespace troupe::codec {

/// Packets of the order's track as they are: of video from the key at `start`
/// up to that at `end`, of audio `start` ≤ time < `end`.
[[nodiscard]] result<media::av_result>
copy_segment(av_source& source, const media::av_order& order);

/// The order's time in a track's own base, back on the file's line.
[[nodiscard]] std::int64_t file_time(const media::av_order& order,
                                     std::int64_t time, AVRational base);
/// How much the file's line is ahead of the stream's, in a track's base.
[[nodiscard]] std::int64_t origin_in(const media::av_order& order,
                                     AVRational base);

} // namespace troupe::codec
