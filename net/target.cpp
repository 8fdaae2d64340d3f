#include "net/target.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <simdjson.h>

#include <algorithm>

namespace troupe::net {

namespace {

namespace urls = boost::urls;

/// A source in base64 may be split into short ones.
constexpr std::size_t max_segments = 1024;
constexpr std::size_t max_query = 64;

bool is_text(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

bool is_segment(std::string_view text) {
  return is_text(text) && text.find('\0') == std::string_view::npos;
}

bool read_segments(const urls::url_view& url, target& out) {
  if (url.segments().size() > max_segments)
    return false;
  for (const auto& segment : url.segments())
    out.segments.push_back(segment);
  return std::ranges::all_of(out.segments, is_segment);
}

bool read_query(const urls::url_view& url, target& out) {
  if (!url.has_query())
    return true;
  if (url.params().size() > max_query)
    return false;
  // An empty query (`/v1/jobs?`) reads as one nameless parameter.
  for (const auto& param : url.params())
    if (!param.key.empty() || !param.value.empty())
      out.query.emplace_back(param.key, param.value);
  return std::ranges::all_of(out.query, [](const auto& pair) {
    return is_text(pair.first) && is_text(pair.second);
  });
}

} // namespace

bool parse_target(std::string_view text, target& out) {
  out = {};
  if (text == "*") {
    out.path = text;
    return true;
  }
  const auto parsed = text.starts_with('/') ? urls::parse_origin_form(text)
                                            : urls::parse_absolute_uri(text);
  if (!parsed)
    return false;
  const urls::url_view url = *parsed;
  if (!text.starts_with('/')
      && (url.scheme_id() != urls::scheme::http || url.host().empty()
          || url.has_userinfo()))
    return false;
  const auto authority = url.encoded_authority();
  out.authority = {authority.data(), authority.size()};
  const auto path = url.encoded_path();
  out.path = {path.data(), path.size()};
  return read_segments(url, out) && read_query(url, out);
}

} // namespace troupe::net
