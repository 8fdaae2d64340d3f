#pragma once

#include "config/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::media {

/// The params of a `transcode` job; what is empty or 0 is the profile's.
struct transcode_params {
  std::string source;
  std::string profile = "web_optimized";
  std::uint32_t height = 0; ///< lines at most
  std::optional<double> crf;
  std::string preset;              ///< x264's words
  std::string video_codec;         ///< "h264", "hevc", "vp9"
  std::string audio_codec;         ///< "aac", "opus"
  std::uint64_t audio_bitrate = 0; ///< bit/s
  std::string container;           ///< "mp4", "mkv", "webm"
  std::string filename = "transcodes/{title}.{ext}";
};

/// Reads params that the schema let through; `bad_params` for what no schema
/// can say.
[[nodiscard]] result<transcode_params>
read_transcode_params(std::string_view json);

/// JSON Schemas of the job type `transcode`.
extern const std::string_view transcode_params_schema;
extern const std::string_view transcode_result_schema;

} // namespace troupe::media
