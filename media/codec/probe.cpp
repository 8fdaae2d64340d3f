#include "media/codec/probe.hpp"

#include "media/codec/probe_input.hpp"
#include "media/codec/probe_streams.hpp"
#include "media/plain_json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string_view>

namespace troupe::codec {

namespace {

namespace json = boost::json;
using media::errc;

constexpr std::size_t most_streams = 64;
constexpr std::size_t most_chapters = 1000;
constexpr std::size_t most_tags = 100;

/// libavformat has one demuxer for Matroska and WebM; the DocType, which
/// stands in the first bytes, tells them apart.
bool says_webm(probe_input& source) {
  std::array<std::uint8_t, 256> head{};
  const auto size = source.read_at(0, head.data(), head.size());
  const std::string_view seen{
    reinterpret_cast<const char*>(head.data()),
    static_cast<std::size_t>(std::max<std::ptrdiff_t>(size, 0))};
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

std::string container_of(const AVFormatContext& input, probe_input& source) {
  std::string_view name = input.iformat->name;
  name = name.substr(0, name.find(','));
  if (name == "matroska" && says_webm(source))
    return "webm";
  const auto at = std::ranges::find(containers, name, &container_name::demuxer);
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

json::array chapters_of(const AVFormatContext& input) {
  json::array chapters;
  for (std::size_t i = 0;
       i < std::min<std::size_t>(input.nb_chapters, most_chapters); ++i) {
    const auto& chapter = *input.chapters[i];
    const auto* title = av_dict_get(chapter.metadata, "title", nullptr, 0);
    chapters.push_back(
      json::object{{"start_s", seconds_of(chapter.start, chapter.time_base)},
                   {"end_s", seconds_of(chapter.end, chapter.time_base)},
                   {"title", title ? text_of(title->value) : ""}});
  }
  return chapters;
}

bool has_cover(const AVFormatContext& input) {
  const std::span streams{input.streams, input.nb_streams};
  return std::ranges::any_of(streams, [](const AVStream* stream) {
    return (stream->disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
  });
}

json::object facts_of(AVFormatContext& input, probe_input& source) {
  json::array streams;
  for (std::size_t i = 0;
       i < std::min<std::size_t>(input.nb_streams, most_streams); ++i)
    streams.push_back(describe_stream(input, *input.streams[i]));
  return {{"container", container_of(input, source)},
          {"duration_s", seconds_of(input.duration, AV_TIME_BASE_Q)},
          {"size", source.size()},
          {"bitrate", input.bit_rate},
          {"streams", std::move(streams)},
          {"chapters", chapters_of(input)},
          {"tags", tags_of(input.metadata)},
          {"cover", has_cover(input)}};
}

task_answer probe(probe_input& source) {
  const auto input = source.open();
  if (!input)
    return {errc::invalid_media, "no known media format"};
  if (avformat_find_stream_info(input.get(), nullptr) < 0
      || input->nb_streams == 0)
    return {errc::invalid_media, "no stream can be read"};
  return {errc::none, media::plain_json(facts_of(*input, source))};
}

} // namespace

task_answer probe(const task_request& request, task_context& context) {
  av_log_set_level(AV_LOG_QUIET);
  if (!request.files.empty()) {
    probe_input source{request.files.front(), context};
    if (source.size() < 0)
      return {errc::io_error, "the file cannot be read"};
    return probe(source);
  }
  std::int64_t size = 0;
  const auto* end = request.params.data() + request.params.size();
  if (std::from_chars(request.params.data(), end, size).ptr != end)
    return {errc::bad_params, "neither a file nor a size is given"};
  probe_input source{size, context};
  return probe(source);
}

} // namespace troupe::codec
