#include "media/download/source_info.hpp"

#include "media/download/json_read.hpp"
#include "media/download/params.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace troupe::media {

namespace {

/// What our proxy and yt-dlp's own downloaders can fetch.
constexpr std::array<std::string_view, 9> protocols_taken{
  "http",
  "https",
  "m3u8",
  "m3u8_native",
  "http_dash_segments",
  "http_dash_segments_generator",
  "ism",
  "f4m",
  "mhtml"};

chosen_format read_format(const json::object& from) {
  chosen_format format;
  format.id = text_of(from, "format_id");
  format.url = text_of(from, "url");
  format.protocol = text_of(from, "protocol");
  const auto size = number_of(from, "filesize");
  format.size = size > 0 ? static_cast<std::int64_t>(size) : -1;
  if (const auto* headers = object_of(from, "http_headers"))
    for (const auto& [name, value] : *headers)
      if (value.is_string())
        format.headers.emplace_back(name, value.get_string());
  return format;
}

std::vector<chosen_format> read_formats(const json::object& from) {
  std::vector<chosen_format> formats;
  const auto* requested = array_of(from, "requested_formats");
  if (!requested)
    return {read_format(from)};
  for (const auto& each : *requested)
    if (each.is_object())
      formats.push_back(read_format(each.get_object()));
  return formats;
}

std::string first_text(const json::object& from,
                       std::initializer_list<std::string_view> keys) {
  for (const auto key : keys)
    if (auto text = text_of(from, key); !text.empty())
      return text;
  return {};
}

std::string whole_text(const json::object& from, std::string_view key) {
  const auto value = number_of(from, key);
  return value > 0 ? std::to_string(std::llround(value)) : std::string{};
}

name_fields read_names(const json::object& from, const source_info& info) {
  name_fields names;
  names.title = info.title;
  names.id = info.id;
  names.uploader = info.uploader;
  names.host = host_of_url(info.webpage_url);
  names.channel = first_text(from, {"channel", "uploader", "extractor"});
  names.upload_date = text_of(from, "upload_date");
  names.extractor = text_of(from, "extractor");
  names.height = whole_text(from, "height");
  names.width = whole_text(from, "width");
  return names;
}

bool lives(const json::object& from) {
  const auto status = text_of(from, "live_status");
  return truth_of(from, "is_live") || status == "is_live"
         || status == "is_upcoming";
}

result<void> check_formats(const source_info& info) {
  for (const auto& format : info.formats) {
    const bool taken = std::ranges::find(protocols_taken, format.protocol)
                       != protocols_taken.end();
    if (!taken)
      return fail(errc::unsupported_url,
                  "served over " + format.protocol + ", which is not taken");
  }
  return {};
}

result<source_info> read_video(const json::object& from) {
  if (lives(from))
    return fail(errc::is_live, text_of(from, "title"));
  source_info info;
  info.title = first_text(from, {"title", "fulltitle", "id"});
  info.id = text_of(from, "id");
  info.webpage_url = first_text(from, {"webpage_url", "original_url", "url"});
  info.uploader = first_text(from, {"uploader", "channel", "creator"});
  if (info.uploader.empty())
    info.uploader = host_of_url(info.webpage_url);
  info.ext = text_of(from, "ext");
  info.duration_s = std::max(0.0, number_of(from, "duration"));
  info.formats = read_formats(from);
  info.names = read_names(from, info);
  info.raw = json::serialize(from);
  if (const auto good = check_formats(info); !good)
    return good.error();
  return info;
}

/// A list of one is that one; yt-dlp tells some pages' only video so.
result<source_info> read_list(const json::object& from) {
  const auto* entries = array_of(from, "entries");
  const auto count = number_of(from, "playlist_count");
  const bool one = entries && entries->size() == 1 && count == 1
                   && entries->front().is_object();
  if (!one)
    return fail(errc::is_playlist, text_of(from, "title"));
  const auto& entry = entries->front().get_object();
  if (array_of(entry, "formats"))
    return read_video(entry);
  source_info info;
  info.only_entry = first_text(entry, {"url", "webpage_url"});
  if (info.only_entry.empty())
    return fail(errc::is_playlist, text_of(from, "title"));
  return info;
}

} // namespace

bool chosen_format::plain() const noexcept {
  return protocol == "http" || protocol == "https";
}

result<source_info> read_source_info(std::string_view text) {
  const auto parsed = parse_object(text);
  if (!parsed)
    return fail(errc::tool_failed, "yt-dlp's description cannot be read");
  const auto type = text_of(*parsed, "_type");
  if (type == "playlist" || type == "multi_video")
    return read_list(*parsed);
  if (type != "video" && !type.empty())
    return fail(errc::unsupported_url, "a description of type " + type);
  return read_video(*parsed);
}

std::string
with_if_range(std::string_view text,
              const std::vector<std::pair<std::string, std::string>>& etags) {
  auto parsed = parse_object(text);
  auto* formats = parsed ? parsed->if_contains("formats") : nullptr;
  if (!formats || !formats->is_array())
    return std::string{text};
  for (auto& each : formats->get_array()) {
    if (!each.is_object())
      continue;
    auto& format = each.get_object();
    const auto id = text_of(format, "format_id");
    for (const auto& [of, etag] : etags)
      if (of == id && format["http_headers"].is_object())
        format["http_headers"].get_object()["If-Range"] = etag;
  }
  return json::serialize(*parsed);
}

} // namespace troupe::media
