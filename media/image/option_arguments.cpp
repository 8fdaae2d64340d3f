#include "media/image/option_arguments.hpp"

#include <algorithm>
#include <array>

namespace troupe::media::image_arguments {

namespace {

/// In the order of the enumerations.
constexpr std::array<std::string_view, 11> gravities{
  "ce", "no", "so", "ea", "we", "noea", "nowe", "soea", "sowe", "sm", "fp"};
constexpr std::array<std::string_view, 5> resizes{"fit", "fill", "fill-down",
                                                  "force", "auto"};

template <class Kind, std::size_t Size>
std::optional<Kind> find_kind(const std::array<std::string_view, Size>& names,
                              std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end())
    return std::nullopt;
  return static_cast<Kind>(found - names.begin());
}

/// Value of a digit, 16 for none.
unsigned hex_value(char digit) {
  if (digit >= '0' && digit <= '9')
    return static_cast<unsigned>(digit - '0');
  if (digit >= 'a' && digit <= 'f')
    return static_cast<unsigned>(digit - 'a') + 10;
  if (digit >= 'A' && digit <= 'F')
    return static_cast<unsigned>(digit - 'A') + 10;
  return 16;
}

/// Value of a character of base64url, 64 for none.
unsigned base64_value(char c) {
  if (c >= 'A' && c <= 'Z')
    return static_cast<unsigned>(c - 'A');
  if (c >= 'a' && c <= 'z')
    return static_cast<unsigned>(c - 'a') + 26;
  if (c >= '0' && c <= '9')
    return static_cast<unsigned>(c - '0') + 52;
  if (c == '-' || c == '+')
    return 62;
  return c == '_' || c == '/' ? 63 : 64;
}

} // namespace

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == text.npos)
      return parts;
    text.remove_prefix(end + 1);
  }
}

bool read_flag(std::string_view from, bool& into, bool otherwise) {
  constexpr std::array<std::string_view, 6> yes{"1",    "t",    "T",
                                                "TRUE", "true", "True"};
  constexpr std::array<std::string_view, 6> no{"0",     "f",     "F",
                                               "FALSE", "false", "False"};
  if (from.empty())
    into = otherwise;
  else if (std::ranges::find(yes, from) != yes.end())
    into = true;
  else if (std::ranges::find(no, from) != no.end())
    into = false;
  else
    return false;
  return true;
}

bool read_color(std::string_view from, std::optional<rgb_color>& into) {
  if (from.empty()) {
    into.reset();
    return true;
  }
  std::array<unsigned, 6> digits{};
  if (from.size() != 3 && from.size() != 6)
    return false;
  for (std::size_t i = 0; i < digits.size(); ++i)
    digits[i] = hex_value(from.size() == 6 ? from[i] : from[i / 2]);
  if (std::ranges::find(digits, 16u) != digits.end())
    return false;
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint8_t>(digits[i] * 16 + digits[i + 1]);
  };
  into = rgb_color{byte(0), byte(2), byte(4)};
  return true;
}

bool read_color(arguments from, std::optional<rgb_color>& into) {
  std::array<int, 3> parts{};
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (at(from, i).empty() || !read_number(at(from, i), parts[i], 0, 0, 255))
      return false;
  into = rgb_color{static_cast<std::uint8_t>(parts[0]),
                   static_cast<std::uint8_t>(parts[1]),
                   static_cast<std::uint8_t>(parts[2])};
  return true;
}

std::optional<gravity_kind> gravity_named(std::string_view name) {
  return find_kind<gravity_kind>(gravities, name);
}

std::string_view name_of(gravity_kind kind) {
  return gravities[static_cast<std::size_t>(kind)];
}

bool read_gravity(arguments from, image_gravity& into) {
  if (from.size() > 3)
    return false;
  image_gravity read;
  if (!at(from, 0).empty()) {
    const auto kind = gravity_named(from[0]);
    if (!kind)
      return false;
    read.kind = *kind;
  }
  const bool focus = read.kind == gravity_kind::focus;
  if (read.kind == gravity_kind::smart && from.size() > 1)
    return false;
  if (focus && from.size() != 3)
    return false;
  const double least = focus ? 0.0 : -most_pixels;
  const double most = focus ? 1.0 : most_pixels;
  if (!read_number(at(from, 1), read.x, 0.0, least, most)
      || !read_number(at(from, 2), read.y, 0.0, least, most))
    return false;
  into = read;
  return true;
}

std::optional<resize_kind> resize_named(std::string_view name) {
  return find_kind<resize_kind>(resizes, name);
}

std::string_view name_of(resize_kind kind) {
  return resizes[static_cast<std::size_t>(kind)];
}

std::optional<std::string> decode_base64url(std::string_view from) {
  while (from.ends_with('='))
    from.remove_suffix(1);
  std::string out;
  unsigned bits = 0;
  int held = 0;
  for (const char c : from) {
    const auto value = base64_value(c);
    if (value == 64)
      return std::nullopt;
    bits = (bits << 6 | value) & 0xffffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out += static_cast<char>(bits >> held & 0xff);
    }
  }
  if (from.size() % 4 == 1)
    return std::nullopt;
  return out;
}

std::optional<std::string> decode_percent(std::string_view from) {
  std::string out;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i] != '%') {
      out += from[i];
      continue;
    }
    if (i + 2 >= from.size())
      return std::nullopt;
    const auto high = hex_value(from[i + 1]);
    const auto low = hex_value(from[i + 2]);
    if (high == 16 || low == 16)
      return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

} // namespace troupe::media::image_arguments
