#include "media/codec/av/x264.hpp"

#include "media/codec/av/failing.hpp"
#include "media/codec/av/video_encoder.hpp"

#include <malloc.h>

#include <string>

namespace troupe::codec {

namespace {

/// Whatever goes into SPS and PPS is the same for all presets.
constexpr const char* pinned =
  "keyint=infinite:open-gop=0:stitchable=1:ref=3:bframes=3:b-pyramid=normal:"
  "weightp=1:cabac=1:8x8dct=1:sliced-threads=0:sync-lookahead=0";

} // namespace

result<codec_ptr> open_x264(const media::av_video_settings& wanted,
                            const AVFrame& first, const AVStream& stream) {
  // x264 decides by memory that it has not written, too: zeroes make that the
  // same each time.
  ::mallopt(M_PERTURB, 0xff);
  auto made = prepare_encoder("libx264", wanted, first, stream);
  if (!made)
    return made;
  const auto level =
    std::to_string(wanted.level / 10) + "." + std::to_string(wanted.level % 10);
  options with;
  with.set("preset", wanted.preset.c_str());
  with.set("profile", "high");
  with.set("level", level.c_str());
  with.set("crf", std::to_string(wanted.crf).c_str());
  with.set("forced-idr", "1");
  with.set("x264-params", pinned);
  if (const int done = avcodec_open2(made->get(), (*made)->codec, with.out());
      done < 0)
    return av_failure(done, "the encoder does not open");
  return made;
}

} // namespace troupe::codec
