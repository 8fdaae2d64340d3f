#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace troupe::media {

struct video_facts {
  std::string codec;
  int width = 0;
  int height = 0;
  double fps = 0;
};

struct audio_facts {
  std::string codec;
  int channels = 0;
  int sample_rate = 0;
};

/// What a codec child says of a file, as far as a download needs it.
struct media_facts {
  std::string container; ///< "mp4", "mkv", …; empty: no media that we know
  double duration_s = 0;
  std::optional<video_facts> video; ///< the first stream that is no cover art
  std::optional<audio_facts> audio;
};

/// Reads the result of the task `probe`; no facts for anything else.
[[nodiscard]] media_facts read_media_facts(std::string_view json);

/// The ending a file of this content is to have, without a dot: `given` where
/// that is a usual one for the container, `bin` if nobody knows.
[[nodiscard]] std::string ending_of(const media_facts& facts,
                                    std::string_view given);

} // namespace troupe::media
