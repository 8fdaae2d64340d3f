#include "media/codec/av/encoders.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
}

#include <algorithm>
#include <array>

namespace troupe::codec {

namespace {

constexpr std::array films{AV_CODEC_ID_H264, AV_CODEC_ID_HEVC, AV_CODEC_ID_AV1,
                           AV_CODEC_ID_VP9};

} // namespace

task_answer list_encoders(const task_request&, task_context&) {
  constexpr auto hardware = AV_CODEC_CAP_HARDWARE | AV_CODEC_CAP_HYBRID;
  task_answer out;
  void* at = nullptr;
  while (const auto* each = av_codec_iterate(&at)) {
    if (!av_codec_is_encoder(each)
        || std::ranges::find(films, each->id) == films.end())
      continue;
    out.text += each->name;
    out.text +=
      (each->capabilities & hardware) != 0 ? " hardware\n" : " software\n";
  }
  return out;
}

} // namespace troupe::codec
