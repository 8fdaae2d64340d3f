#pragma once

#include "config/result.hpp"
#include "media/av/task.hpp"
#include "media/codec/pointers.hpp"

namespace troupe::codec {

/// An encoder for one segment: the first frame is an IDR and no other; what
/// its parameter sets hold is pinned, so that neither `crf` nor rates change
/// them. @param first its first frame @param stream where it comes from
[[nodiscard]] result<codec_ptr>
open_x264(const media::av_video_settings& wanted, const AVFrame& first,
          const AVStream& stream);

} // namespace troupe::codec
