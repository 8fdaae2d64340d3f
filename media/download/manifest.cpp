#include "media/download/manifest.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>

namespace troupe::media {

namespace {

std::string_view next_line(std::string_view& text) {
  const auto end = text.find('\n');
  auto line = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  while (!line.empty() && (line.back() == '\r' || line.back() == ' '))
    line.remove_suffix(1);
  return line;
}

std::string resolved(std::string_view base, std::string_view reference) {
  const auto from = boost::urls::parse_uri(base);
  const auto to = boost::urls::parse_uri_reference(reference);
  if (!from || !to)
    return {};
  boost::urls::url out;
  const auto done = boost::urls::resolve(*from, *to, out);
  return done ? std::string{out.buffer()} : std::string{};
}

} // namespace

manifest_facts read_manifest(std::string_view text, std::string_view base) {
  manifest_facts facts;
  if (next_line(text) != "#EXTM3U")
    return facts;
  bool segments = false;
  bool ends = false;
  while (!text.empty()) {
    const auto line = next_line(text);
    segments = segments || line.starts_with("#EXTINF");
    ends = ends || line.starts_with("#EXT-X-ENDLIST");
    const bool address = !line.empty() && line.front() != '#';
    if (address && segments && facts.first_segment.empty())
      facts.first_segment = resolved(base, line);
  }
  facts.live = segments && !ends;
  return facts;
}

} // namespace troupe::media
