#include "media/codec/probe_streams.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
}

#include <cstdio>
#include <span>
#include <string_view>

/// Codec strings of RFC 6381, as the bindings of each codec to MP4 write them.
namespace troupe::codec {

namespace {

using bytes = std::span<const std::uint8_t>;

template <class... Values>
std::string text(const char* form, Values... values) {
  char line[64];
  const int size = std::snprintf(line, sizeof line, form, values...);
  return {line, static_cast<std::size_t>(size)};
}

/// The first NAL unit of this type in an Annex B stream, after its header.
bytes unit_of_type(bytes from, int type) {
  for (std::size_t at = 0; at + 7 < from.size(); ++at)
    if (from[at] == 0 && from[at + 1] == 0 && from[at + 2] == 1
        && (from[at + 3] & 0x1f) == type)
      return from.subspan(at + 4);
  return {};
}

/// ISO/IEC 14496-15: profile, constraints and level, of avcC or of an SPS.
std::string avc(bytes extra) {
  if (extra.size() < 7)
    return {};
  const auto sps = extra[0] == 1 ? extra.subspan(1) : unit_of_type(extra, 7);
  if (sps.size() < 3)
    return {};
  return text("avc1.%02X%02X%02X", sps[0], sps[1], sps[2]);
}

std::uint32_t reversed_bits(std::uint32_t value) {
  std::uint32_t turned = 0;
  for (int i = 0; i < 32; ++i)
    turned |= ((value >> i) & 1u) << (31 - i);
  return turned;
}

/// ISO/IEC 14496-15, annex E.3, of hvcC alone.
std::string hevc(const AVCodecParameters& codec, bytes extra) {
  if (extra.size() < 13 || extra[0] != 1)
    return {};
  constexpr std::string_view spaces[]{"", "A", "B", "C"};
  const std::uint32_t compatible = static_cast<std::uint32_t>(extra[2]) << 24
                                   | extra[3] << 16 | extra[4] << 8 | extra[5];
  std::string made =
    codec.codec_tag == MKTAG('h', 'e', 'v', '1') ? "hev1." : "hvc1.";
  made += spaces[extra[1] >> 6];
  made += text("%d.%X.%c%d", extra[1] & 0x1f, reversed_bits(compatible),
               (extra[1] & 0x20) != 0 ? 'H' : 'L', extra[12]);
  auto constraints = extra.subspan(6, 6);
  while (!constraints.empty() && constraints.back() == 0)
    constraints = constraints.first(constraints.size() - 1);
  for (const auto each : constraints)
    made += text(".%X", each);
  return made;
}

/// AV1 Codec ISO Media File Format Binding, 5, of av1C.
std::string av1(bytes extra) {
  if (extra.size() < 4 || extra[0] != 0x81)
    return {};
  const bool high = (extra[2] & 0x40) != 0;
  const bool twelve = (extra[2] & 0x20) != 0;
  return text("av01.%d.%02d%c.%02d", extra[1] >> 5, extra[1] & 0x1f,
              (extra[2] & 0x80) != 0 ? 'H' : 'M',
              !high    ? 8
              : twelve ? 12
                       : 10);
}

/// VP Codec ISO Media File Format Binding; the short form where the file does
/// not tell the level.
std::string vp9(const AVCodecParameters& codec) {
  if (codec.level <= 0 || codec.profile < 0)
    return "vp9";
  const int depth = codec.profile < 2 ? 8 : 10;
  return text("vp09.%02d.%02d.%02d", codec.profile, codec.level, depth);
}

/// ISO/IEC 14496-3, 1.6.2.1: the object type of an AudioSpecificConfig.
std::string aac(bytes extra) {
  if (extra.size() < 2)
    return "mp4a.40.2";
  int type = extra[0] >> 3;
  if (type == 31)
    type = 32 + ((extra[0] & 7) << 3 | extra[1] >> 5);
  return text("mp4a.40.%d", type);
}

} // namespace

std::string codecs_of(const AVCodecParameters& codec) {
  const bytes extra{codec.extradata,
                    static_cast<std::size_t>(codec.extradata_size)};
  switch (codec.codec_id) {
  case AV_CODEC_ID_H264:
    return avc(extra);
  case AV_CODEC_ID_HEVC:
    return hevc(codec, extra);
  case AV_CODEC_ID_AV1:
    return av1(extra);
  case AV_CODEC_ID_VP9:
    return vp9(codec);
  case AV_CODEC_ID_VP8:
    return "vp8";
  case AV_CODEC_ID_AAC:
    return aac(extra);
  case AV_CODEC_ID_MP3:
    return "mp4a.40.34";
  case AV_CODEC_ID_AC3:
    return "ac-3";
  case AV_CODEC_ID_EAC3:
    return "ec-3";
  case AV_CODEC_ID_OPUS:
    return "opus";
  case AV_CODEC_ID_FLAC:
    return "flac";
  case AV_CODEC_ID_VORBIS:
    return "vorbis";
  default:
    return {};
  }
}

} // namespace troupe::codec
