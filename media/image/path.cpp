#include "media/errc.hpp"
#include "media/image/option_arguments.hpp"

#include <algorithm>

namespace troupe::media {

namespace {

using namespace image_arguments;

constexpr std::string_view plain = "plain/";

failure refuse(const char* why) {
  return fail(errc::bad_params, why);
}

/// A path's two halves.
struct halves {
  std::string_view options;
  std::string_view source;
};

/// Options are the first segments that have a colon; in a path of presets, the
/// first segment whatever it has.
halves halve(std::string_view path, bool presets_only) {
  std::size_t at = 0;
  while (at < path.size()) {
    const auto end = std::min(path.find('/', at), path.size());
    const auto segment = path.substr(at, end - at);
    const bool is_option =
      presets_only ? at == 0 : segment.find(':') != segment.npos;
    if (!is_option && !segment.empty())
      break;
    at = std::min(end + 1, path.size());
  }
  return {path.substr(0, at), path.substr(at)};
}

/// A name's ending, by the last character of this kind.
result<image_format> take_ending(std::string_view& source, char before) {
  const auto at = source.rfind(before);
  if (at == source.npos)
    return image_format::none;
  const auto name = source.substr(at + 1);
  source = source.substr(0, at);
  const auto format = format_named(name);
  if (!name.empty() && !can_save(format))
    return fail(errc::bad_params, "extension: " + std::string{name});
  return format;
}

result<std::string> decode_plain(std::string_view source) {
  auto decoded = decode_percent(source);
  if (!decoded || decoded->empty())
    return refuse("source: not percent-encoded as it should be");
  return std::move(*decoded);
}

result<std::string> decode_encoded(std::string_view source) {
  std::string joined{source};
  std::erase(joined, '/');
  auto decoded = decode_base64url(joined);
  if (!decoded || decoded->empty())
    return refuse("source: neither plain nor base64url");
  return std::move(*decoded);
}

} // namespace

std::string repaired_image_path(std::string_view path) {
  std::string text{path};
  const auto source = text.find("/plain/");
  const auto end = std::min(source, text.size());
  std::size_t at = 0;
  while ((at = text.find('%', at)) < end) {
    const auto code = std::string_view{text}.substr(at, 3);
    if (code == "%3A" || code == "%3a")
      return repaired_image_path(text.replace(at, 3, ":"));
    ++at;
  }
  if (source == text.npos)
    return text;
  const auto colon = text.find(":/", source);
  if (colon == text.npos || text.compare(colon, 3, "://") == 0)
    return text;
  const auto scheme = std::string_view{text}.substr(
    source + plain.size() + 1, colon - source - plain.size() - 1);
  if (std::ranges::all_of(scheme, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
      }))
    text.replace(colon, 2, scheme == "local" ? ":///" : "://");
  return text;
}

result<image_path> parse_image_path(std::string_view raw,
                                    const option_rules& rules) {
  // A slash in front lets the search for `/plain/` find all.
  const auto text =
    repaired_image_path((raw.starts_with('/') ? "" : "/") + std::string{raw});
  const auto [options, tail] =
    halve(std::string_view{text}.substr(1), rules.presets_only);
  auto trimmed = options;
  while (trimmed.ends_with('/'))
    trimmed.remove_suffix(1);
  auto read = parse_options(trimmed, rules);
  if (!read)
    return read.error();
  auto source = tail;
  if (source.starts_with("enc/"))
    return refuse("enc: an option of the paid version");
  const bool is_plain = source.starts_with(plain);
  if (is_plain)
    source.remove_prefix(plain.size());
  const auto format = take_ending(source, is_plain ? '@' : '.');
  if (!format)
    return format.error();
  auto decoded = is_plain ? decode_plain(source) : decode_encoded(source);
  if (!decoded)
    return decoded.error();
  if (*format != image_format::none)
    read->format = *format;
  return image_path{std::move(*read), std::move(*decoded)};
}

} // namespace troupe::media
