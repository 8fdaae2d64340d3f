#include "media/codec/av/frame_times.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/avutil.h>
#include <libavutil/mathematics.h>
}

#include <algorithm>
#include <cstdlib>

namespace troupe::codec {

int frame_size_of(const AVCodecParameters& codec, int seen) {
  if (codec.frame_size > 0)
    return codec.frame_size;
  switch (codec.codec_id) {
  case AV_CODEC_ID_AAC:
    return 1024;
  case AV_CODEC_ID_AC3:
  case AV_CODEC_ID_EAC3:
    return 1536;
  case AV_CODEC_ID_MP3:
    return 1152;
  case AV_CODEC_ID_FLAC:
  case AV_CODEC_ID_ALAC:
  case AV_CODEC_ID_DTS:
  case AV_CODEC_ID_OPUS:
    return seen;
  default:
    // Muxers cut samples that stand by themselves as evenly.
    return av_get_exact_bits_per_sample(codec.codec_id) > 0 ? seen : 0;
  }
}

frame_times::frame_times(AVRational base, const AVCodecParameters& codec,
                         int frame_size)
  : base_(base), rate_{1, std::max(codec.sample_rate, 1)}, frame_(frame_size),
    first_(codec.codec_id == AV_CODEC_ID_OPUS ? -codec.initial_padding : 0),
    next_(AV_NOPTS_VALUE) {}

AVRational frame_times::base() const {
  return is_coarse() ? rate_ : base_;
}

std::int64_t frame_times::snap(std::int64_t time) {
  if (!is_coarse())
    return time;
  auto at = av_rescale_q(time, base_, rate_);
  if (frame_ <= 0)
    return at;
  const auto near = rate_.den / 500;
  const auto whole = (at - first_ + frame_ / 2) / frame_ * frame_ + first_;
  if (next_ != AV_NOPTS_VALUE && std::llabs(next_ - at) <= near)
    at = next_;
  else if (std::llabs(whole - at) <= near)
    at = whole;
  next_ = at + frame_;
  return at;
}

bool frame_times::is_coarse() const {
  return rate_.den > 1 && av_cmp_q(base_, rate_) > 0;
}

} // namespace troupe::codec
