#pragma once

#include "config/result.hpp"
#include "media/av/task.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// What a codec child is asked when all segments of a film are made.
namespace troupe::media {

struct av_join_track {
  std::uint8_t track = 0; ///< in the pack
  bool video = false;
  bool primed = false;     ///< the pack holds a primer
  std::int64_t end_us = 0; ///< where its last frame ends
};

/// The task `av_join`: the tracks of a pack (its first file) as one film in the
/// second file, which can be read and written; video first.
/// Ends: `invalid_media` (parts that do not fit together), `disk_full`,
/// `io_error`, as any task.
struct av_join_order {
  std::string container; ///< "mp4", "mkv", "webm"
  std::vector<av_join_track> tracks;
};

/// The task `av_check`: of one file, whether it lasts as long as it should, has
/// the tracks that it should, and decodes at its start, middle and end.
/// Ends: `invalid_media` with what is wrong, as any task.
struct av_check_order {
  bool video = false;
  bool audio = false;
  double duration_s = 0;
};

[[nodiscard]] std::string encode_av_join(const av_join_order& order);
[[nodiscard]] result<av_join_order> read_av_join(std::string_view params);
[[nodiscard]] std::string encode_av_check(const av_check_order& order);
[[nodiscard]] result<av_check_order> read_av_check(std::string_view params);

} // namespace troupe::media
