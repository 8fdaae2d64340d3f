#include "media/stream/webvtt.hpp"

#include "config/text.hpp"

#include <charconv>
#include <optional>

namespace troupe::media {

namespace {

/// Blocks are parted by empty lines.
std::string_view take_block(std::string_view& text) {
  while (text.starts_with('\n'))
    text.remove_prefix(1);
  const auto end = text.find("\n\n");
  const auto block = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 2);
  return block;
}

std::optional<double> plain_number(std::string_view text) {
  double out = 0;
  const auto [end, error] =
    std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return out;
}

/// `[hh:]mm:ss.ttt`
std::optional<double> time_of(std::string_view text) {
  double out = 0;
  for (;;) {
    const auto colon = text.find(':');
    const auto part = plain_number(text.substr(0, colon));
    if (!part)
      return std::nullopt;
    out = out * 60 + *part;
    if (colon == text.npos)
      return out;
    text.remove_prefix(colon + 1);
  }
}

struct times {
  double start = 0, end = 0;
};

/// Nothing for a block that is no cue: the header, a note, a style.
std::optional<times> times_of(std::string_view block) {
  constexpr std::string_view arrow = "-->";
  const auto at = block.find(arrow);
  if (at == block.npos)
    return std::nullopt;
  const auto line = block.rfind('\n', at);
  const auto first = line == block.npos ? 0 : line + 1;
  const auto start = time_of(config::trimmed(block.substr(first, at - first)));
  const auto rest = config::trimmed(block.substr(at + arrow.size()));
  const auto end = time_of(rest.substr(0, rest.find_first_of(" \t\r\n")));
  if (!start || !end)
    return std::nullopt;
  return times{*start, *end};
}

} // namespace

std::string cut_webvtt(std::string_view file, double start_s, double end_s) {
  std::string out = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n";
  while (!file.empty()) {
    const auto block = take_block(file);
    if (block.starts_with("STYLE") || block.starts_with("REGION"))
      out.append("\n").append(block).append("\n");
    const auto when = times_of(block);
    if (when && when->start < end_s && when->end > start_s)
      out.append("\n").append(block).append("\n");
  }
  return out;
}

} // namespace troupe::media
