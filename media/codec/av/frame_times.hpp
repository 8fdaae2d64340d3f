#pragma once

extern "C" {
#include <libavcodec/codec_par.h>
#include <libavutil/rational.h>
}

#include <cstdint>

namespace troupe::codec {

/// Samples of a frame of audio where all have the same; else 0.
/// @param seen of one that was decoded; 0: of none
[[nodiscard]] int frame_size_of(const AVCodecParameters& codec, int seen = 0);

/// Times of audio by the sample. Where a container's own are coarser, as
/// Matroska's milliseconds are, those within two of them are taken for where
/// the last frame ended, or for a whole number of frames from the first on.
class frame_times {
public:
  frame_times(AVRational base, const AVCodecParameters& codec, int frame_size);

  /// Of what `snap` gives: the container's, if it is fine enough.
  [[nodiscard]] AVRational base() const;
  [[nodiscard]] std::int64_t snap(std::int64_t time);

private:
  [[nodiscard]] bool is_coarse() const;

  AVRational base_;
  AVRational rate_;
  int frame_;
  std::int64_t first_; ///< time of the first frame, if it is as codecs have it
  std::int64_t next_;
};

} // namespace troupe::codec
