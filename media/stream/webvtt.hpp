#pragma once

#include <string>
#include <string_view>

namespace troupe::media {

/// The cues of a WebVTT file that are shown between two times, as a segment of
/// HLS (RFC 8216, 3.5): times stay those of the film. A cue across a border is
/// in both segments.
[[nodiscard]] std::string cut_webvtt(std::string_view file, double start_s,
                                     double end_s);

} // namespace troupe::media
