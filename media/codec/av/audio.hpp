#pragma once

#include "config/result.hpp"
#include "media/av/task.hpp"
#include "media/codec/av/source.hpp"

namespace troupe::codec {

/// Of a frame of Opus as we make it.
inline constexpr int opus_samples = 960;

/// AAC or Opus of the order's track, on the global grid of its frames. Encoding
/// begins some frames before the segment and ends after it, so that segments
/// made apart join without a click. Where there is no audio there is silence.
[[nodiscard]] result<media::av_result>
encode_audio(av_source& source, const media::av_order& order);

} // namespace troupe::codec
