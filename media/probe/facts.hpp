#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

/// What `troupe-codec probe` says of a file, as far as a download needs it.
struct media_facts {
  std::string container; ///< "mp4", "mkv", …; empty: no media that we know
  double duration_s = 0;
  std::optional<video_facts> video; ///< the first stream that is no cover art
  std::optional<audio_facts> audio;
};

/// The command that prints a file's facts on stdout.
[[nodiscard]] std::vector<std::string>
probe_command(const std::filesystem::path& codec,
              const std::filesystem::path& file);

/// Reads that output; no facts for anything else.
[[nodiscard]] media_facts read_media_facts(std::string_view json);

/// The ending a file of this content is to have, without a dot: `given` where
/// that is a usual one for the container, `bin` if nobody knows.
[[nodiscard]] std::string ending_of(const media_facts& facts,
                                    std::string_view given);

} // namespace troupe::media
