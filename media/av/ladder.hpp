#pragma once

#include "media/av/task.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// What of a film is copied for a client, and what is made instead.
namespace troupe::media {

/// What a client plays: RFC 6381 strings, where a higher profile or level
/// includes lower ones; a bare name ("hvc1") stands for all of it.
struct av_client {
  std::vector<std::string> video{"avc1.640033"};
  std::vector<std::string> audio{"mp4a.40.2"};
  bool hdr = false;

  bool operator==(const av_client&) const = default;
};

/// Why the index's video is not copied for this client; empty: it is.
[[nodiscard]] std::string why_no_video_copy(const av_index& index,
                                            const av_client& client);
/// The same of an audio track.
[[nodiscard]] std::string why_no_audio_copy(const av_track& track,
                                            const av_client& client);

struct av_rung {
  std::uint32_t width = 0; ///< even, of square samples, as shown
  std::uint32_t height = 0;
  double frame_rate = 0; ///< 0: not known
  double crf = 23;
  std::uint64_t maxrate = 0; ///< bit/s
  std::uint64_t bufsize = 0; ///< bits
  int level = 40;            ///< of H.264, times ten
  std::string codecs;        ///< "avc1.640028", as its init will say
};

/// Rungs of 1080, 720, 480 and 360 lines that are no larger than the source,
/// best first; one of the source's own size if it is smaller than all, or in
/// between and alone. @param max_height 0: any @param max_bitrate bit/s, of
/// video, 0: any; the smallest rung is offered all the same.
[[nodiscard]] std::vector<av_rung> av_ladder(const av_track& video,
                                             std::uint32_t max_height = 0,
                                             std::uint64_t max_bitrate = 0);

/// A rung of the source's own size, or of as many lines as it may have; made
/// like that of the ladder which is next in size.
[[nodiscard]] av_rung av_rung_within(const av_track& video,
                                     std::uint32_t max_height);

/// How this rung of this track is made.
[[nodiscard]] av_video_settings av_settings_of(const av_track& video,
                                               const av_rung& rung);
/// How AAC is made of this track.
[[nodiscard]] av_audio_settings av_settings_of(const av_track& audio);

} // namespace troupe::media
