#pragma once

#include "config/result.hpp"
#include "media/av/task.hpp"
#include "media/codec/av/source.hpp"

#include <string>
#include <string_view>

namespace troupe::codec {

/// The order's whole track as one WebVTT file, with the map to the stream's
/// times that HLS wants (RFC 8216, 3.5).
[[nodiscard]] result<media::av_result>
make_subtitles(av_source& source, const media::av_order& order);

/// What an ASS event shows, as WebVTT's text: without its commands, with what
/// WebVTT takes for markup escaped.
[[nodiscard]] std::string plain_text_of(std::string_view event);

} // namespace troupe::codec
