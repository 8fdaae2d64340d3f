#include "net/stream_reader.hpp"

#include "net/job_id.hpp"
#include "net/job_reader.hpp"
#include "net/source_url.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace troupe::net {

namespace {

constexpr std::int64_t highest = 16'384;
constexpr std::int64_t fastest = 10'000'000'000;
constexpr std::int64_t most_tracks = 1000;
constexpr double longest_s = 1e7;
constexpr std::size_t most_codecs = 64;

void read_source(object_reader& in, const media::address_guard& guard,
                 media::stream_wish& out) {
  if (!in.require("source") || !in.text("source", out.source, 8192))
    return;
  if (auto fault = source_fault(out.source, guard))
    in.wrong("source", std::move(fault->detail), std::move(fault->code));
}

void read_mode(object_reader& in, media::stream_wish& out) {
  static constexpr std::array<std::string_view, 4> words{"auto", "direct",
                                                         "remux", "transcode"};
  std::string word;
  if (!in.text("mode", word, 16))
    return;
  const auto at = std::ranges::find(words, word);
  if (at == words.end())
    return in.wrong("mode", "must be auto, direct, remux or transcode");
  out.mode = static_cast<media::stream_mode>(at - words.begin());
}

void read_track(object_reader& in, std::string_view name,
                std::optional<std::uint32_t>& out) {
  std::int64_t number = 0;
  if (in.integer(name, number, 0, most_tracks))
    out = static_cast<std::uint32_t>(number);
}

void read_client(object_reader& in, field_errors& errors,
                 media::stream_wish& out) {
  const auto object = in.object("client");
  if (!object)
    return;
  object_reader fields{*object, in.pointer("client"), errors};
  fields.texts("video", out.client.video, most_codecs, 64);
  fields.texts("audio", out.client.audio, most_codecs, 64);
  fields.boolean("hdr", out.client.hdr);
  fields.finish();
}

} // namespace

std::variant<media::stream_wish, problem>
read_stream_wish(std::string_view body, const media::address_guard& guard) {
  media::stream_wish out;
  auto fault = read_body(body, [&](object_reader& in, field_errors& errors) {
    read_source(in, guard, out);
    read_mode(in, out);
    std::int64_t height = 0, bitrate = 0, priority = out.priority;
    in.integer("max_height", height, 0, highest);
    in.integer("max_bitrate", bitrate, 0, fastest);
    in.integer("priority", priority, 0, 9);
    in.number("start_s", out.start_s, 0, longest_s);
    read_track(in, "audio", out.audio);
    read_track(in, "subtitle", out.subtitle);
    read_client(in, errors, out);
    out.max_height = static_cast<std::uint32_t>(height);
    out.max_bitrate = static_cast<std::uint64_t>(bitrate);
    out.priority = static_cast<int>(priority);
  });
  if (fault)
    return std::move(*fault);
  return out;
}

std::variant<actors::stream_change, problem>
read_stream_change(std::string_view body) {
  actors::stream_change out;
  auto fault = read_body(body, [&](object_reader& in, field_errors&) {
    std::int64_t value = 0;
    if (in.integer("priority", value, 0, 9))
      out.priority = static_cast<int>(value);
    if (in.integer("max_height", value, 0, highest))
      out.max_height = static_cast<std::uint32_t>(value);
    else if (in.has("max_height"))
      out.max_height = 0; // null: any
    if (in.integer("max_bitrate", value, 0, fastest))
      out.max_bitrate = static_cast<std::uint64_t>(value);
    else if (in.has("max_bitrate"))
      out.max_bitrate = 0;
  });
  if (fault)
    return std::move(*fault);
  return out;
}

std::optional<stream_name> read_stream_name(std::string_view part) {
  const auto dot = part.find('.');
  if (dot == part.npos || !is_job_id(part.substr(0, dot)))
    return std::nullopt;
  return stream_name{part.substr(0, dot), part.substr(dot + 1)};
}

std::optional<rendition_file> read_rendition_file(std::string_view name) {
  if (name == "index.m3u8")
    return rendition_file{actors::stream_file::playlist, 0};
  if (name == "init.mp4")
    return rendition_file{actors::stream_file::init, 0};
  const auto dot = name.find('.');
  const auto ending = name.substr(std::min(dot, name.size()));
  if (ending != ".m4s" && ending != ".vtt")
    return std::nullopt;
  rendition_file out{actors::stream_file::segment, 0};
  const auto [end, error] =
    std::from_chars(name.data(), name.data() + dot, out.number);
  const bool plain = error == std::errc{} && end == name.data() + dot
                     && (dot == 1 || name.front() != '0');
  return plain ? std::optional{out} : std::nullopt;
}

} // namespace troupe::net
