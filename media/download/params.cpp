#include "media/download/params.hpp"

#include "config/text.hpp"
#include "media/download/file_name.hpp"
#include "media/download/selector.hpp"

#include <boost/json/parse.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace troupe::media {

namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 7> format_names{
  "original", "mp4", "mkv", "webm", "mp3", "m4a", "opus"};

std::string text_of(const json::object& from, std::string_view key,
                    std::string_view otherwise) {
  const auto* found = from.if_contains(key);
  if (!found || !found->is_string())
    return std::string{otherwise};
  return std::string{found->get_string()};
}

std::uint64_t number_of(const json::object& from, std::string_view key) {
  const auto* found = from.if_contains(key);
  if (!found || !found->is_number())
    return 0;
  boost::system::error_code bad;
  const auto value = found->to_number<std::int64_t>(bad);
  return bad || value < 0 ? 0 : static_cast<std::uint64_t>(value);
}

std::vector<std::string> list_of(const json::object& from,
                                 std::string_view key) {
  std::vector<std::string> list;
  const auto* found = from.if_contains(key);
  if (!found || !found->is_array())
    return list;
  for (const auto& item : found->get_array())
    if (item.is_string())
      list.emplace_back(item.get_string());
  return list;
}

std::optional<download_format> format_of(std::string_view name) {
  const auto at = std::ranges::find(format_names, name);
  if (at == format_names.end())
    return std::nullopt;
  return static_cast<download_format>(at - format_names.begin());
}

std::optional<if_exists_rule> rule_of(std::string_view name) {
  if (name == "skip")
    return if_exists_rule::skip;
  if (name == "replace")
    return if_exists_rule::replace;
  if (name == "keep_both")
    return if_exists_rule::keep_both;
  return std::nullopt;
}

bool is_language(std::string_view text) {
  return !text.empty() && text.size() <= 20 && text.front() != '-'
         && std::ranges::all_of(text, [](unsigned char c) {
              return std::isalnum(c) || c == '-' || c == '_';
            });
}

/// A file name that stays in its folder.
bool is_plain_name(std::string_view text) {
  return !text.empty() && text.size() <= 100 && text.front() != '.'
         && std::ranges::all_of(text, [](unsigned char c) {
              return std::isalnum(c) || c == '-' || c == '_' || c == '.';
            });
}

/// `sha256:` and 64 hex digits.
std::optional<std::string> digest_in(std::string_view text) {
  if (!text.starts_with("sha256:") || text.size() != 7 + 64)
    return std::nullopt;
  std::string hex{text.substr(7)};
  for (auto& c : hex) {
    if (!std::isxdigit(static_cast<unsigned char>(c)))
      return std::nullopt;
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return hex;
}

void read_embed(const json::object& from, download_params& params) {
  for (const auto& what : list_of(from, "embed")) {
    params.embed_metadata |= what == "metadata";
    params.embed_thumbnail |= what == "thumbnail";
    params.embed_chapters |= what == "chapters";
    params.embed_subtitles |= what == "subtitles";
  }
}

result<void> read_choices(const json::object& from, download_params& params) {
  const auto format = format_of(text_of(from, "format", "original"));
  if (!format)
    return fail(errc::bad_params, "format");
  params.format = *format;
  const auto rule = rule_of(text_of(from, "if_exists", "keep_both"));
  if (!rule)
    return fail(errc::bad_params, "if_exists");
  params.if_exists = *rule;
  if (const auto sum = text_of(from, "checksum", ""); !sum.empty()) {
    const auto hex = digest_in(sum);
    if (!hex)
      return fail(errc::bad_params, "checksum is not sha256:HEX");
    params.sha256 = *hex;
  }
  return {};
}

result<void> check(const download_params& params) {
  if (host_of_url(params.url).empty())
    return fail(errc::unsupported_url, params.url);
  if (!std::ranges::all_of(params.subtitles, is_language))
    return fail(errc::bad_params, "subtitles: not a language");
  if (!params.cookies.empty() && !is_plain_name(params.cookies))
    return fail(errc::bad_params, "cookies: not a plain file name");
  if (const auto good = check_quality(params.quality); !good)
    return good;
  return check_file_template(params.filename);
}

} // namespace

bool download_params::audio_only() const noexcept {
  return quality == "audio" || format == download_format::mp3
         || format == download_format::m4a || format == download_format::opus;
}

result<download_params> read_download_params(std::string_view text) {
  boost::system::error_code bad;
  const auto parsed = json::parse(text, bad);
  if (bad || !parsed.is_object())
    return fail(errc::bad_params, "not a JSON object");
  const auto& from = parsed.get_object();
  download_params params;
  params.url = text_of(from, "url", "");
  params.quality = text_of(from, "quality", params.quality);
  params.subtitles = list_of(from, "subtitles");
  params.filename = text_of(from, "filename", params.filename);
  params.rate_limit = number_of(from, "rate_limit");
  params.max_filesize = number_of(from, "max_filesize");
  params.cookies = text_of(from, "cookies", "");
  read_embed(from, params);
  if (const auto good = read_choices(from, params); !good)
    return good.error();
  if (const auto good = check(params); !good)
    return good.error();
  return params;
}

std::string_view to_string(download_format format) noexcept {
  return format == download_format::original
           ? std::string_view{}
           : format_names[static_cast<std::size_t>(format)];
}

bool changes_container(download_format format) noexcept {
  return format == download_format::mp4 || format == download_format::mkv
         || format == download_format::webm;
}

std::string host_of_url(std::string_view url) {
  const auto parsed = boost::urls::parse_uri(url);
  if (!parsed)
    return {};
  const auto scheme = parsed->scheme_id();
  if (scheme != boost::urls::scheme::http
      && scheme != boost::urls::scheme::https)
    return {};
  return config::lower(std::string{parsed->host()});
}

} // namespace troupe::media
