#include "media/codec/probe.hpp"

#include "media/codec/pointers.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/avstring.h>
#include <libavutil/pixdesc.h>
}

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace troupe::codec {

namespace {

namespace json = boost::json;

/// Demuxers that read one file and nothing else.
constexpr const char* formats_taken =
  "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dts,dv,eac3,flac,flv,gif,h264,hevc,"
  "ivf,m4v,matroska,mov,mp3,mpeg,mpegts,mpegvideo,mxf,nut,obu,ogg,truehd,tta,"
  "w64,wav,wv";

constexpr std::size_t most_streams = 64;
constexpr std::size_t most_tags = 100;

probe_answer failed(probe_status status, std::string_view why) {
  return {status, json::serialize(json::object{{"error", why}})};
}

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
  return static_cast<double>(value) * av_q2d(base);
}

/// Three digits are more than any container keeps.
double rounded(double value) {
  return std::isfinite(value) ? std::round(value * 1000) / 1000 : 0;
}

/// libavformat has one demuxer for Matroska and WebM; the DocType, which
/// stands in the first bytes, tells them apart.
bool says_webm(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::array<char, 256> head{};
  file.read(head.data(), head.size());
  const std::string_view seen{head.data(),
                              static_cast<std::size_t>(file.gcount())};
  return seen.find("webm") != seen.npos;
}

struct container_name {
  std::string_view demuxer;
  std::string_view name;
};

/// Where the demuxer's first name is not what people say.
constexpr std::array containers{
  container_name{"mov", "mp4"},  container_name{"matroska", "mkv"},
  container_name{"mpeg", "mpg"}, container_name{"mpegts", "ts"},
  container_name{"asf", "wmv"},
};

std::string container_of(const AVFormatContext& input,
                         const std::string& path) {
  std::string_view name = input.iformat->name;
  name = name.substr(0, name.find(','));
  if (name == "matroska" && says_webm(path))
    return "webm";
  const auto* at =
    std::find_if(containers.begin(), containers.end(),
                 [&](const auto& each) { return each.demuxer == name; });
  return std::string{at == containers.end() ? name : at->name};
}

json::object tags_of(const AVDictionary* from) {
  json::object tags;
  const AVDictionaryEntry* entry = nullptr;
  while ((entry = av_dict_get(from, "", entry, AV_DICT_IGNORE_SUFFIX))
         && tags.size() < most_tags)
    tags[text_of(entry->key)] = text_of(entry->value);
  return tags;
}

void add_video(const AVStream& stream, AVFormatContext& input,
               json::object& to) {
  const auto& codec = *stream.codecpar;
  to["width"] = codec.width;
  to["height"] = codec.height;
  const auto rate =
    av_guess_frame_rate(&input, const_cast<AVStream*>(&stream), nullptr);
  to["fps"] = rate.den > 0 ? rounded(av_q2d(rate)) : 0.0;
  const auto* pixels =
    av_get_pix_fmt_name(static_cast<AVPixelFormat>(codec.format));
  if (pixels)
    to["pixel_format"] = pixels;
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

json::object describe(const AVStream& stream, AVFormatContext& input) {
  const auto& codec = *stream.codecpar;
  json::object to;
  to["index"] = stream.index;
  const auto* type = av_get_media_type_string(codec.codec_type);
  to["type"] = type ? type : "unknown";
  to["codec"] = avcodec_get_name(codec.codec_id);
  if (const auto* profile = avcodec_profile_name(codec.codec_id, codec.profile))
    to["profile"] = profile;
  if (codec.codec_type == AVMEDIA_TYPE_VIDEO)
    add_video(stream, input, to);
  if (codec.codec_type == AVMEDIA_TYPE_AUDIO)
    add_audio(stream, to);
  if (codec.bit_rate > 0)
    to["bitrate"] = codec.bit_rate;
  to["duration_s"] = rounded(seconds_of(stream.duration, stream.time_base));
  const auto* language = av_dict_get(stream.metadata, "language", nullptr, 0);
  if (language)
    to["language"] = text_of(language->value);
  to["default"] = (stream.disposition & AV_DISPOSITION_DEFAULT) != 0;
  return to;
}

json::array chapters_of(const AVFormatContext& input) {
  json::array chapters;
  for (unsigned i = 0; i < input.nb_chapters && i < 1000; ++i) {
    const auto& chapter = *input.chapters[i];
    const auto* title = av_dict_get(chapter.metadata, "title", nullptr, 0);
    chapters.push_back(json::object{
      {"start_s", rounded(seconds_of(chapter.start, chapter.time_base))},
      {"end_s", rounded(seconds_of(chapter.end, chapter.time_base))},
      {"title", title ? text_of(title->value) : ""}});
  }
  return chapters;
}

json::object facts_of(AVFormatContext& input, const std::string& path) {
  std::error_code unknown;
  const auto size = std::filesystem::file_size(path, unknown);
  json::array streams;
  for (unsigned i = 0; i < input.nb_streams && i < most_streams; ++i)
    streams.push_back(describe(*input.streams[i], input));
  return {{"container", container_of(input, path)},
          {"duration_s", rounded(seconds_of(input.duration, AV_TIME_BASE_Q))},
          {"size", unknown ? 0 : size},
          {"bitrate", input.bit_rate},
          {"streams", std::move(streams)},
          {"chapters", chapters_of(input)},
          {"tags", tags_of(input.metadata)}};
}

} // namespace

probe_answer probe_file(const std::string& path) {
  av_log_set_level(AV_LOG_QUIET);
  options wanted;
  wanted.set("format_whitelist", formats_taken);
  wanted.set("protocol_whitelist", "file");
  AVFormatContext* raw = nullptr;
  // `file:` keeps a colon in the name from being read as a protocol.
  const auto opened =
    avformat_open_input(&raw, ("file:" + path).c_str(), nullptr, wanted.out());
  if (opened == AVERROR(ENOENT) || opened == AVERROR(EACCES)
      || opened == AVERROR(EISDIR))
    return failed(probe_status::unreadable, "the file cannot be opened");
  if (opened < 0)
    return failed(probe_status::not_media, "no known media format");
  const input_ptr input{raw};
  if (avformat_find_stream_info(input.get(), nullptr) < 0
      || input->nb_streams == 0)
    return failed(probe_status::not_media, "no stream can be read");
  return {probe_status::done, json::serialize(facts_of(*input, path))};
}

} // namespace troupe::codec
