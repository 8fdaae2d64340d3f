#pragma once

#include "config/result.hpp"
#include "media/av/task.hpp"
#include "media/codec/pointers.hpp"

namespace troupe::codec {

/// An encoder that is not open: size, colours, rates and times are set as for
/// any. @param name libav's @param first the segment's first frame
/// @param stream where it comes from
[[nodiscard]] result<codec_ptr>
prepare_encoder(const char* name, const media::av_video_settings& wanted,
                const AVFrame& first, const AVStream& stream);

/// An encoder for one segment, of the codec that is wanted: its first frame
/// is one to begin with, and its parameter sets are alike for all segments.
/// `bad_params` for a codec that we do not make, `tool_missing` for one that
/// this libav does not.
[[nodiscard]] result<codec_ptr>
open_video_encoder(const media::av_video_settings& wanted, const AVFrame& first,
                   const AVStream& stream);

} // namespace troupe::codec
