#include "media/codec/av/x264.hpp"

#include "media/codec/av/failing.hpp"

#include <malloc.h>

#include <algorithm>
#include <string>

namespace troupe::codec {

namespace {

using media::errc;

/// Whatever goes into SPS and PPS is the same for all presets.
constexpr const char* pinned =
  "keyint=infinite:open-gop=0:stitchable=1:ref=3:bframes=3:b-pyramid=normal:"
  "weightp=1:cabac=1:8x8dct=1:sliced-threads=0:sync-lookahead=0";

/// What players would guess of it anyway, by the size of the source.
void set_colour(AVCodecContext& encoder, const AVFrame& first,
                const AVCodecParameters& source) {
  const bool large = source.height >= 720;
  encoder.color_range = AVCOL_RANGE_MPEG;
  encoder.colorspace = first.colorspace;
  encoder.color_primaries = first.color_primaries;
  encoder.color_trc = first.color_trc;
  if (first.colorspace == AVCOL_SPC_UNSPECIFIED
      || first.colorspace == AVCOL_SPC_RGB)
    encoder.colorspace = large ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
  if (first.color_primaries == AVCOL_PRI_UNSPECIFIED)
    encoder.color_primaries = large ? AVCOL_PRI_BT709 : AVCOL_PRI_SMPTE170M;
  if (first.color_trc == AVCOL_TRC_UNSPECIFIED)
    encoder.color_trc = large ? AVCOL_TRC_BT709 : AVCOL_TRC_SMPTE170M;
  encoder.chroma_sample_location = AVCHROMA_LOC_LEFT;
}

void set_rates(AVCodecContext& encoder,
               const media::av_video_settings& wanted) {
  const auto most = std::uint64_t{1} << 30;
  encoder.rc_max_rate =
    static_cast<std::int64_t>(std::min(wanted.maxrate, most));
  encoder.rc_buffer_size = static_cast<int>(std::min(wanted.bufsize, most));
}

} // namespace

result<codec_ptr> open_x264(const media::av_video_settings& wanted,
                            const AVFrame& first, const AVStream& stream) {
  const auto* codec = avcodec_find_encoder_by_name("libx264");
  if (!codec)
    return fail(errc::tool_missing, "libavcodec has no libx264");
  // x264 decides by memory that it has not written, too: zeroes make that the
  // same each time.
  ::mallopt(M_PERTURB, 0xff);
  codec_ptr made{avcodec_alloc_context3(codec)};
  if (!made)
    return fail(errc::memory);
  made->width = first.width;
  made->height = first.height;
  made->pix_fmt = AV_PIX_FMT_YUV420P;
  made->sample_aspect_ratio = {1, 1};
  made->time_base = stream.time_base;
  made->framerate = stream.avg_frame_rate;
  made->thread_count = 1;
  made->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  set_colour(*made, first, *stream.codecpar);
  set_rates(*made, wanted);
  const auto level =
    std::to_string(wanted.level / 10) + "." + std::to_string(wanted.level % 10);
  options with;
  with.set("preset", wanted.preset.c_str());
  with.set("profile", "high");
  with.set("level", level.c_str());
  with.set("crf", std::to_string(wanted.crf).c_str());
  with.set("forced-idr", "1");
  with.set("x264-params", pinned);
  if (const int done = avcodec_open2(made.get(), codec, with.out()); done < 0)
    return av_failure(done, "the encoder does not open");
  return made;
}

} // namespace troupe::codec
