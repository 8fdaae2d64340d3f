#pragma once

#include "media/stream/plan.hpp"

#include <string>

/// HLS with CMAF segments (RFC 8216bis): every segment is known from the
/// start, whether it was made or not. URIs are relative to the playlist.
namespace troupe::media {

/// `master.m3u8`: variants, with one group of audio and one of subtitles.
[[nodiscard]] std::string master_playlist(const stream_plan& plan);

/// `{rendition}/index.m3u8`.
[[nodiscard]] std::string media_playlist(const stream_plan& plan,
                                         const stream_line& line);

} // namespace troupe::media
