#pragma once

#include "config/result.hpp"
#include "media/av/task.hpp"
#include "media/codec/av/source.hpp"

namespace troupe::codec {

/// AAC of the order's track, on the global grid of 1024 samples. Encoding
/// begins some frames before the segment and ends after it, so that segments
/// made apart join without a click. Where there is no audio there is silence.
[[nodiscard]] result<media::av_result>
encode_audio(av_source& source, const media::av_order& order);

} // namespace troupe::codec
