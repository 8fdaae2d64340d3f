#include "net/cli/text.hpp"

#include "config/utf8.hpp"

#include <cstdio>
#include <cwchar>
#include <locale.h>

namespace troupe::cli {

namespace {

/// Walks over the characters of well-formed UTF-8 in a locale that has them.
template <class Visit>
void each_character(std::string_view text, Visit visit) {
  static const auto utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  const auto before = uselocale(utf8);
  std::mbstate_t state{};
  while (!text.empty()) {
    wchar_t character = 0;
    auto length = std::mbrtowc(&character, text.data(), text.size(), &state);
    if (length == 0 || length > text.size()) { // no locale, or a broken text
      length = 1;
      character = static_cast<unsigned char>(text.front());
      state = {};
    }
    const auto width = wcwidth(character);
    if (!visit(text.substr(0, length),
               width < 0 ? 0 : static_cast<std::size_t>(width)))
      break;
    text.remove_prefix(length);
  }
  uselocale(before);
}

std::string formatted(const char* format, double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, format, value);
  return buffer;
}

} // namespace

std::string printable(std::string_view text) {
  std::string out;
  const auto good = config::valid_utf8(text);
  each_character(good, [&out](std::string_view one, std::size_t) {
    const auto first = static_cast<unsigned char>(one.front());
    const bool c1 = one.size() == 2 && first == 0xc2
                    && static_cast<unsigned char>(one[1]) < 0xa0;
    if (first < 0x20 || first == 0x7f || c1)
      out += ' ';
    else
      out += one;
    return true;
  });
  return out;
}

std::size_t columns(std::string_view text) {
  std::size_t sum = 0;
  each_character(text, [&sum](std::string_view, std::size_t width) {
    sum += width;
    return true;
  });
  return sum;
}

std::string clip(std::string_view text, std::size_t width) {
  if (columns(text) <= width)
    return std::string{text};
  if (width == 0)
    return {};
  std::string out;
  std::size_t used = 0;
  each_character(text, [&](std::string_view one, std::size_t wide) {
    if (used + wide > width - 1)
      return false;
    out += one;
    used += wide;
    return true;
  });
  return out + "…";
}

std::string pad(std::string text, std::size_t width) {
  const auto used = columns(text);
  if (used < width)
    text.append(width - used, ' ');
  return text;
}

std::string bytes_text(double bytes) {
  const char* const units[] = {"%.0f B", "%.1f KiB", "%.1f MiB", "%.1f GiB",
                               "%.1f TiB"};
  std::size_t unit = 0;
  while (bytes >= 1000 && unit + 1 < std::size(units)) {
    bytes /= 1024;
    ++unit;
  }
  return formatted(units[unit], bytes);
}

std::string duration_text(double seconds) {
  if (!(seconds >= 0 && seconds < 1e9))
    return "-";
  const auto whole = static_cast<long>(seconds + 0.5);
  char buffer[32];
  if (whole >= 86400)
    std::snprintf(buffer, sizeof buffer, "%ldd %ldh", whole / 86400,
                  whole / 3600 % 24);
  else if (whole >= 3600)
    std::snprintf(buffer, sizeof buffer, "%ld:%02ld:%02ld", whole / 3600,
                  whole / 60 % 60, whole % 60);
  else
    std::snprintf(buffer, sizeof buffer, "%ld:%02ld", whole / 60, whole % 60);
  return buffer;
}

} // namespace troupe::cli
