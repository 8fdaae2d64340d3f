#include "media/codec/probe_streams.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/avstring.h>
#include <libavutil/display.h>
#include <libavutil/pixdesc.h>
}

#include <array>
#include <cmath>
#include <string_view>

namespace troupe::codec {

namespace {

namespace json = boost::json;

/// Three digits are more than any container keeps.
double rounded(double value) {
  return std::isfinite(value) ? std::round(value * 1000) / 1000 : 0;
}

/// Clockwise, as players turn it: 0, 90, 180 or 270.
int rotation_of(AVStream& stream) {
  const auto* matrix =
    av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, nullptr);
  if (!matrix)
    return 0;
  const auto turned =
    -av_display_rotation_get(reinterpret_cast<const std::int32_t*>(matrix));
  if (!std::isfinite(turned))
    return 0;
  const int quarters = static_cast<int>(std::lround(turned / 90));
  return (quarters % 4 + 4) % 4 * 90;
}

/// The transfer function tells; what is not HDR has none.
std::string_view hdr_of(AVStream& stream) {
  if (av_stream_get_side_data(&stream, AV_PKT_DATA_DOVI_CONF, nullptr))
    return "dolby_vision";
  switch (stream.codecpar->color_trc) {
  case AVCOL_TRC_SMPTE2084:
    return "hdr10";
  case AVCOL_TRC_ARIB_STD_B67:
    return "hlg";
  default:
    return {};
  }
}

void add_colour(const AVCodecParameters& codec, json::object& to) {
  const std::pair<const char*, const char*> names[]{
    {"color_space", codec.color_space == AVCOL_SPC_UNSPECIFIED
                      ? nullptr
                      : av_color_space_name(codec.color_space)},
    {"color_transfer", codec.color_trc == AVCOL_TRC_UNSPECIFIED
                         ? nullptr
                         : av_color_transfer_name(codec.color_trc)},
    {"color_primaries", codec.color_primaries == AVCOL_PRI_UNSPECIFIED
                          ? nullptr
                          : av_color_primaries_name(codec.color_primaries)}};
  for (const auto& [key, name] : names)
    if (name)
      to[key] = name;
}

void add_video(AVFormatContext& input, AVStream& stream, json::object& to) {
  const auto& codec = *stream.codecpar;
  to["width"] = codec.width;
  to["height"] = codec.height;
  const auto rate = av_guess_frame_rate(&input, &stream, nullptr);
  to["fps"] = rate.den > 0 ? rounded(av_q2d(rate)) : 0.0;
  if (const auto* pixels =
        av_get_pix_fmt_name(static_cast<AVPixelFormat>(codec.format)))
    to["pixel_format"] = pixels;
  to["rotation"] = rotation_of(stream);
  const auto hdr = hdr_of(stream);
  to["hdr"] = hdr.empty() ? json::value(nullptr) : json::value(hdr);
  add_colour(codec, to);
  to["attached_picture"] =
    (stream.disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
}

void add_audio(const AVStream& stream, json::object& to) {
  const auto& codec = *stream.codecpar;
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(59, 24, 100)
  to["channels"] = codec.ch_layout.nb_channels;
#else
  to["channels"] = codec.channels;
#endif
  to["sample_rate"] = codec.sample_rate;
}

json::array disposition_of(const AVStream& stream) {
  constexpr std::pair<int, const char*> names[]{
    {AV_DISPOSITION_DEFAULT, "default"},
    {AV_DISPOSITION_FORCED, "forced"},
    {AV_DISPOSITION_ORIGINAL, "original"},
    {AV_DISPOSITION_DUB, "dub"},
    {AV_DISPOSITION_COMMENT, "comment"},
    {AV_DISPOSITION_HEARING_IMPAIRED, "hearing_impaired"},
    {AV_DISPOSITION_VISUAL_IMPAIRED, "visual_impaired"},
    {AV_DISPOSITION_ATTACHED_PIC, "attached_picture"}};
  json::array all;
  for (const auto& [bit, name] : names)
    if ((stream.disposition & bit) != 0)
      all.emplace_back(name);
  return all;
}

} // namespace

/// Tags of old files come in any encoding; JSON takes UTF-8 alone.
std::string text_of(const char* from) {
  std::string text = from ? from : "";
  const auto* at = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto* end = at + text.size();
  while (at < end) {
    std::int32_t point = 0;
    if (av_utf8_decode(&point, &at, end, 0) < 0) {
      for (auto& c : text)
        c = static_cast<unsigned char>(c) < 0x80 ? c : '?';
      break;
    }
  }
  return text;
}

double seconds_of(std::int64_t value, AVRational base) {
  if (value == AV_NOPTS_VALUE || base.den == 0)
    return 0;
  return rounded(static_cast<double>(value) * av_q2d(base));
}

json::object describe_stream(AVFormatContext& input, AVStream& stream) {
  const auto& codec = *stream.codecpar;
  json::object to;
  to["index"] = stream.index;
  const auto* type = av_get_media_type_string(codec.codec_type);
  to["type"] = type ? type : "unknown";
  to["codec"] = avcodec_get_name(codec.codec_id);
  if (auto codecs = codecs_of(codec); !codecs.empty())
    to["codecs"] = std::move(codecs);
  if (const auto* profile = avcodec_profile_name(codec.codec_id, codec.profile))
    to["profile"] = profile;
  if (codec.codec_type == AVMEDIA_TYPE_VIDEO)
    add_video(input, stream, to);
  if (codec.codec_type == AVMEDIA_TYPE_AUDIO)
    add_audio(stream, to);
  if (codec.bit_rate > 0)
    to["bitrate"] = codec.bit_rate;
  to["duration_s"] = seconds_of(stream.duration, stream.time_base);
  if (const auto* language =
        av_dict_get(stream.metadata, "language", nullptr, 0))
    to["language"] = text_of(language->value);
  to["disposition"] = disposition_of(stream);
  return to;
}

} // namespace troupe::codec
