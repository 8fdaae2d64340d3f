#include "media/codec/av/tracks.hpp"

#include "media/codec/av/compat.hpp"
#include "media/codec/probe_streams.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/display.h>
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <array>
#include <cmath>

namespace troupe::codec {

namespace {

using media::av_kind;
using media::av_track;

constexpr std::size_t most_tracks = 64;
constexpr std::size_t most_film_chapters = 1000;

/// Subtitles of pictures.
constexpr std::array bitmaps{AV_CODEC_ID_HDMV_PGS_SUBTITLE,
                             AV_CODEC_ID_DVD_SUBTITLE, AV_CODEC_ID_DVB_SUBTITLE,
                             AV_CODEC_ID_XSUB};

std::string hdr_of(const AVStream& stream) {
  if (!side_data(stream, AV_PKT_DATA_DOVI_CONF).empty()
      && stream.codecpar->color_trc != AVCOL_TRC_SMPTE2084
      && stream.codecpar->color_trc != AVCOL_TRC_ARIB_STD_B67)
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

void set_pixels(int format, av_track& track) {
  const auto pixels = static_cast<AVPixelFormat>(format);
  if (const auto* facts = av_pix_fmt_desc_get(pixels)) {
    track.pixel_format = av_get_pix_fmt_name(pixels);
    track.bits = static_cast<std::uint32_t>(facts->comp[0].depth);
  }
}

void set_interlaced(AVFieldOrder order, av_track& track) {
  if (order > AV_FIELD_PROGRESSIVE)
    track.interlaced = true;
}

void describe_video(AVFormatContext& input, AVStream& stream, av_track& track) {
  const auto& codec = *stream.codecpar;
  track.kind = av_kind::video;
  track.width = static_cast<std::uint32_t>(std::max(codec.width, 0));
  track.height = static_cast<std::uint32_t>(std::max(codec.height, 0));
  const auto rate = av_guess_frame_rate(&input, &stream, nullptr);
  const double frames = rate.den > 0 ? av_q2d(rate) : 0;
  track.frame_rate = std::isfinite(frames) && frames <= 1000 ? frames : 0;
  set_pixels(codec.format, track);
  set_interlaced(codec.field_order, track);
  track.hdr = hdr_of(stream);
  track.rotation = rotation_of(stream);
  const auto aspect = av_guess_sample_aspect_ratio(&input, &stream, nullptr);
  if (aspect.num > 0 && aspect.den > 0)
    track.sample_aspect = std::clamp(av_q2d(aspect), 0.1, 10.0);
}

void describe_audio(const AVStream& stream, av_track& track) {
  const auto& codec = *stream.codecpar;
  track.kind = av_kind::audio;
  track.sample_rate =
    static_cast<std::uint32_t>(std::max(codec.sample_rate, 0));
  track.channels =
    static_cast<std::uint32_t>(std::max(codec.ch_layout.nb_channels, 0));
}

std::string tag(const AVStream& stream, const char* name) {
  const auto* found = av_dict_get(stream.metadata, name, nullptr, 0);
  return found ? text_of(found->value) : std::string{};
}

bool describe(AVFormatContext& input, AVStream& stream, av_track& track) {
  const auto& codec = *stream.codecpar;
  track.number = static_cast<std::uint32_t>(stream.index);
  track.codec = avcodec_get_name(codec.codec_id);
  track.codecs = codecs_of(codec);
  track.bitrate =
    static_cast<std::uint64_t>(std::max<std::int64_t>(codec.bit_rate, 0));
  track.language = tag(stream, "language");
  if (track.language == "und")
    track.language.clear();
  track.title = tag(stream, "title");
  track.is_default = (stream.disposition & AV_DISPOSITION_DEFAULT) != 0;
  track.forced = (stream.disposition & AV_DISPOSITION_FORCED) != 0;
  switch (codec.codec_type) {
  case AVMEDIA_TYPE_VIDEO:
    if ((stream.disposition & AV_DISPOSITION_ATTACHED_PIC) != 0)
      return false;
    describe_video(input, stream, track);
    return true;
  case AVMEDIA_TYPE_AUDIO:
    describe_audio(stream, track);
    return true;
  case AVMEDIA_TYPE_SUBTITLE:
    track.kind = std::ranges::find(bitmaps, codec.codec_id) != bitmaps.end()
                   ? av_kind::bitmap
                   : av_kind::text;
    return true;
  default:
    return false;
  }
}

} // namespace

int rotation_of(const AVStream& stream) {
  const auto matrix = side_data(stream, AV_PKT_DATA_DISPLAYMATRIX);
  if (matrix.size() < 9 * sizeof(std::int32_t))
    return 0;
  const auto turned = -av_display_rotation_get(
    reinterpret_cast<const std::int32_t*>(matrix.data()));
  if (!std::isfinite(turned))
    return 0;
  const int quarters = static_cast<int>(std::lround(turned / 90));
  return (quarters % 4 + 4) % 4 * 90;
}

std::vector<av_track> describe_tracks(av_source& source) {
  std::vector<av_track> tracks;
  auto& input = source.input();
  for (auto* each : std::span{input.streams, input.nb_streams}) {
    av_track track;
    if (tracks.size() < most_tracks && describe(input, *each, track))
      tracks.push_back(std::move(track));
  }
  return tracks;
}

std::vector<media::av_chapter> describe_chapters(const AVFormatContext& input) {
  std::vector<media::av_chapter> chapters;
  const auto count =
    std::min<std::size_t>(input.nb_chapters, most_film_chapters);
  for (const auto* each : std::span{input.chapters, count}) {
    const auto* title = av_dict_get(each->metadata, "title", nullptr, 0);
    chapters.push_back({seconds_of(each->start, each->time_base),
                        seconds_of(each->end, each->time_base),
                        title ? text_of(title->value) : std::string{}});
  }
  return chapters;
}

void describe_picture(const AVStream& stream, const AVPacket& packet,
                      av_track& track) {
  const parser_ptr parser{av_parser_init(stream.codecpar->codec_id)};
  const codec_ptr codec{avcodec_alloc_context3(nullptr)};
  if (!parser || !codec
      || avcodec_parameters_to_context(codec.get(), stream.codecpar) < 0)
    return;
  parser->flags |= PARSER_FLAG_COMPLETE_FRAMES;
  std::uint8_t* out = nullptr;
  int size = 0;
  av_parser_parse2(parser.get(), codec.get(), &out, &size, packet.data,
                   packet.size, packet.pts, packet.dts, packet.pos);
  if (track.pixel_format.empty())
    set_pixels(parser->format, track);
  set_interlaced(parser->field_order, track);
}

} // namespace troupe::codec
