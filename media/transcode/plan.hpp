#pragma once

#include "config/result.hpp"
#include "media/av/pack.hpp"
#include "media/download/file_name.hpp"
#include "media/stream/line.hpp"
#include "media/transcode/params.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace troupe::media {

/// A part that is made by one task of a child.
struct transcode_piece {
  line_ptr line;
  std::uint8_t track = 0; ///< in the pack
  pack_part part = pack_part::segment;
  std::uint32_t number = 0;
  double work = 0; ///< of the whole's 1

  [[nodiscard]] av_order order() const;
};

/// What is made of a source.
struct transcode_plan {
  std::string container; ///< "mp4", "mkv", "webm"
  line_ptr video;        ///< null: none
  line_ptr audio;        ///< null: none
  double duration_s = 0; ///< of what is made
  /// Of each track in order, video first.
  std::vector<transcode_piece> pieces;

  /// The lines, in the order of their tracks in the pack.
  [[nodiscard]] std::vector<line_ptr> tracks() const;
  /// Another for everything that changes a byte of what is made.
  [[nodiscard]] std::string identity() const;
};

/// Chooses tracks and settings: the profile's, but for what the params say. The
/// lines of `web_optimized` are those of streams.
///   bad_container  WebM was asked for, and what it does not hold
///   invalid_media  nothing that can be made of it; no video, unless the
///                  profile is `audio_only`
[[nodiscard]] result<transcode_plan>
plan_transcode(const transcode_params& params, source_ptr source,
               std::shared_ptr<const av_index> index);

/// What its file name can be made of. @param job id
[[nodiscard]] name_fields name_fields_of(const transcode_params& params,
                                         const transcode_plan& plan,
                                         const std::string& job);

/// "m4a" for MP4 without pictures, …
[[nodiscard]] std::string ending_of(const transcode_plan& plan);

} // namespace troupe::media
