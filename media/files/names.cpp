#include "media/files/names.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace troupe::media {

namespace {

constexpr char32_t broken = 0xFFFFFFFF;

/// Takes one code point off the front; `broken` for one byte that begins no
/// valid sequence (RFC 3629: no overlong forms, no surrogates).
char32_t take_code_point(std::string_view& text) {
  const auto byte = [&text](std::size_t at) {
    return static_cast<unsigned char>(text[at]);
  };
  const unsigned char lead = byte(0);
  const std::size_t size = lead < 0x80           ? 1
                           : (lead >> 5) == 0x06 ? 2
                           : (lead >> 4) == 0x0E ? 3
                           : (lead >> 3) == 0x1E ? 4
                                                 : 0;
  constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  char32_t point = size == 1 ? lead : lead & (0x7Fu >> size);
  bool good = size != 0 && size <= text.size();
  for (std::size_t at = 1; good && at < size; ++at) {
    good = (byte(at) & 0xC0) == 0x80;
    point = (point << 6) | (byte(at) & 0x3Fu);
  }
  good = good && point >= least[size] && point <= 0x10FFFF
         && (point < 0xD800 || point > 0xDFFF);
  text.remove_prefix(good ? size : 1);
  return good ? point : broken;
}

/// Control and formatting characters that change how a name is shown or read
/// without being seen: C0, C1, zero-width space, bidi controls, line
/// separators, tags, noncharacters.
bool is_hidden(char32_t point) {
  constexpr std::array<std::array<char32_t, 2>, 12> ranges{{
    {0x00, 0x1F},
    {0x7F, 0x9F},
    {0xAD, 0xAD},
    {0x61C, 0x61C},
    {0x200B, 0x200B},
    {0x200E, 0x200F},
    {0x2028, 0x202E},
    {0x2060, 0x2069},
    {0xFDD0, 0xFDEF},
    {0xFEFF, 0xFEFF},
    {0xFFF9, 0xFFFB},
    {0xE0001, 0xE0001},
  }};
  return (point & 0xFFFE) == 0xFFFE
         || std::any_of(ranges.begin(), ranges.end(), [point](auto range) {
              return point >= range[0] && point <= range[1];
            });
}

/// Separators of any system that a library may be shared with.
bool separates(char32_t point) {
  return point < 0x80
         && std::string_view{"/\\:*?\"<>|"}.find(static_cast<char>(point))
              != std::string_view::npos;
}

/// Keeps what may stand in a name; the rest is dropped or becomes `_`.
std::string filtered(std::string_view text) {
  std::string kept;
  while (!text.empty()) {
    const auto start = text;
    const auto point = take_code_point(text);
    if (point == broken || separates(point))
      kept += '_';
    else if (point == '\t' || point == '\n' || point == '\r')
      kept += ' ';
    else if (!is_hidden(point))
      kept += start.substr(0, start.size() - text.size());
  }
  return kept;
}

/// The names that Windows gives to devices, whatever extension follows.
bool is_device(std::string_view name) {
  std::string stem{name.substr(0, name.find('.'))};
  while (!stem.empty() && stem.back() == ' ')
    stem.pop_back();
  for (char& letter : stem)
    if (letter >= 'a' && letter <= 'z')
      letter = static_cast<char>(letter - 'a' + 'A');
  if (stem == "CON" || stem == "PRN" || stem == "AUX" || stem == "NUL")
    return true;
  return stem.size() == 4 && stem[3] >= '1' && stem[3] <= '9'
         && (stem.starts_with("COM") || stem.starts_with("LPT"));
}

void trim(std::string& name) {
  const auto first = name.find_first_not_of(". ");
  name.erase(0, std::min(first, name.size()));
  const auto last = name.find_last_not_of(". ");
  name.erase(last + 1);
}

} // namespace

std::string cut_utf8(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes)
    return std::string{text};
  auto end = max_bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
    --end;
  return std::string{text.substr(0, end)};
}

std::string safe_segment(std::string_view text, std::string_view fallback,
                         std::size_t max_bytes) {
  auto name = filtered(text);
  trim(name);
  if (is_device(name))
    name = "_" + name;
  name = cut_utf8(name, max_bytes);
  trim(name);
  if (name.empty())
    return std::string{fallback};
  return name;
}

} // namespace troupe::media
