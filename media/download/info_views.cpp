#include "config/credentials.hpp"
#include "media/download/json_read.hpp"
#include "media/download/source_info.hpp"
#include "media/plain_json.hpp"

#include <array>

namespace troupe::media {

namespace {

constexpr std::size_t most_items = 1000;

constexpr std::array<std::string_view, 24> lasting_keys{
  "id",          "title",       "fulltitle",     "description",
  "uploader",    "uploader_id", "uploader_url",  "channel",
  "channel_id",  "channel_url", "upload_date",   "timestamp",
  "duration",    "categories",  "tags",          "chapters",
  "webpage_url", "extractor",   "extractor_key", "language",
  "license",     "series",      "season_number", "episode_number"};

constexpr std::array<std::string_view, 12> format_keys{
  "format_id", "ext", "width",    "height",   "fps",      "vcodec",
  "acodec",    "tbr", "filesize", "language", "protocol", "format_note"};

template <class Keys>
json::object picked(const json::object& from, const Keys& keys) {
  json::object out;
  for (const auto key : keys) {
    const auto* found = from.if_contains(key);
    if (found && !found->is_null())
      out[key] = *found;
  }
  return out;
}

json::value or_null(const json::object& from, std::string_view key) {
  const auto* found = from.if_contains(key);
  return found ? *found : json::value{};
}

template <class View>
json::array each_of(const json::array* from, View view) {
  json::array out;
  if (!from)
    return out;
  for (const auto& item : *from) {
    if (out.size() == most_items)
      break;
    if (item.is_object())
      out.emplace_back(view(item.get_object()));
  }
  return out;
}

json::object entry_view(const json::object& entry) {
  json::object out =
    picked(entry, std::array<std::string_view, 3>{"id", "title", "duration"});
  auto url = text_of(entry, "webpage_url");
  out["url"] = url.empty() ? text_of(entry, "url") : std::move(url);
  return out;
}

} // namespace

std::string lasting_info(std::string_view text) {
  const auto parsed = parse_object(text);
  if (!parsed)
    return "{}";
  return config::hide_credentials(plain_json(picked(*parsed, lasting_keys)));
}

result<std::string> extract_answer(std::string_view text) {
  const auto parsed = parse_object(text);
  if (!parsed)
    return fail(errc::tool_failed, "yt-dlp's description cannot be read");
  json::object answer;
  answer["title"] = or_null(*parsed, "title");
  answer["duration"] = or_null(*parsed, "duration");
  answer["thumbnail"] = or_null(*parsed, "thumbnail");
  answer["formats"] =
    each_of(array_of(*parsed, "formats"), [](const json::object& format) {
      return picked(format, format_keys);
    });
  answer["entries"] = each_of(array_of(*parsed, "entries"), entry_view);
  return plain_json(answer);
}

} // namespace troupe::media
