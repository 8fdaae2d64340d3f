#include "media/codec/av/video_encoder.hpp"

#include "media/codec/av/failing.hpp"
#include "media/codec/av/x264.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace troupe::codec {

namespace {

using media::errc;

/// One thread, as its child has: its own pools would be as many as there are
/// cores, in each of them. Nothing of its settings is written into the stream.
constexpr const char* x265_params =
  "keyint=-1:open-gop=0:bframes=4:b-pyramid=1:pools=none:frame-threads=1:"
  "wpp=0:pmode=0:pme=0:info=0:log-level=none:hrd=0:repeat-headers=0";

/// x264's words in VP9's numbers: 0 is the slowest.
struct vp9_speed {
  std::string_view preset;
  const char* cpu_used;
};
constexpr std::array vp9_speeds{
  vp9_speed{"ultrafast", "8"}, vp9_speed{"superfast", "7"},
  vp9_speed{"veryfast", "6"},  vp9_speed{"faster", "5"},
  vp9_speed{"fast", "4"},      vp9_speed{"medium", "3"},
  vp9_speed{"slow", "2"},      vp9_speed{"slower", "1"},
  vp9_speed{"veryslow", "0"}};

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

result<codec_ptr> opened(codec_ptr encoder, options& with) {
  const int done = avcodec_open2(encoder.get(), encoder->codec, with.out());
  if (done < 0)
    return av_failure(done, "the encoder does not open");
  return encoder;
}

result<codec_ptr> open_x265(const media::av_video_settings& wanted,
                            const AVFrame& first, const AVStream& stream) {
  auto made = prepare_encoder("libx265", wanted, first, stream);
  if (!made)
    return made;
  options with;
  with.set("preset", wanted.preset.c_str());
  with.set("profile", "main");
  with.set("crf", std::to_string(wanted.crf).c_str());
  with.set("forced-idr", "1");
  with.set("x265-params", x265_params);
  return opened(std::move(*made), with);
}

result<codec_ptr> open_vp9(const media::av_video_settings& wanted,
                           const AVFrame& first, const AVStream& stream) {
  auto made = prepare_encoder("libvpx-vp9", wanted, first, stream);
  if (!made)
    return made;
  // No rate but the quality's.
  (*made)->bit_rate = 0;
  (*made)->gop_size = 9999;
  const auto* speed =
    std::ranges::find(vp9_speeds, wanted.preset, &vp9_speed::preset);
  options with;
  with.set("deadline", "good");
  with.set("cpu-used", speed == vp9_speeds.end() ? "4" : speed->cpu_used);
  with.set("crf", std::to_string(static_cast<int>(wanted.crf)).c_str());
  with.set("auto-alt-ref", "1");
  with.set("lag-in-frames", "25");
  with.set("row-mt", "0");
  return opened(std::move(*made), with);
}

} // namespace

result<codec_ptr> prepare_encoder(const char* name,
                                  const media::av_video_settings& wanted,
                                  const AVFrame& first,
                                  const AVStream& stream) {
  const auto* codec = avcodec_find_encoder_by_name(name);
  if (!codec)
    return fail(errc::tool_missing, std::string{"libavcodec has no "} + name);
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
  return made;
}

result<codec_ptr> open_video_encoder(const media::av_video_settings& wanted,
                                     const AVFrame& first,
                                     const AVStream& stream) {
  if (wanted.codec == "h264")
    return open_x264(wanted, first, stream);
  if (wanted.codec == "hevc")
    return open_x265(wanted, first, stream);
  if (wanted.codec == "vp9")
    return open_vp9(wanted, first, stream);
  return fail(errc::bad_params, "no encoder for " + wanted.codec);
}

} // namespace troupe::codec
