#pragma once

#include "media/image/options.hpp"

#include <charconv>
#include <cmath>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

/// How single arguments of options are read. Each function is false if the
/// argument makes no sense; an empty one is the default given.
namespace troupe::media::image_arguments {

using arguments = std::span<const std::string_view>;

/// Sides and distances that can be asked for, in pixels.
inline constexpr int most_pixels = 65'535;

[[nodiscard]] std::vector<std::string_view> split(std::string_view text,
                                                  char at);

/// The argument of that number; empty if there are fewer.
[[nodiscard]] inline std::string_view at(arguments from, std::size_t number) {
  return number < from.size() ? from[number] : std::string_view{};
}

/// As Go's strconv.ParseBool.
[[nodiscard]] bool read_flag(std::string_view from, bool& into, bool otherwise);

template <class T>
[[nodiscard]] bool read_number(std::string_view from, T& into, T otherwise,
                               T least, T most) {
  T read = otherwise;
  if (!from.empty()) {
    const auto* end = from.data() + from.size();
    const auto [stopped, wrong] = std::from_chars(from.data(), end, read);
    if (wrong != std::errc{} || stopped != end)
      return false;
  }
  if (!(read >= least && read <= most))
    return false;
  into = read;
  return true;
}

[[nodiscard]] inline bool read_pixels(std::string_view from, int& into) {
  return read_number(from, into, 0, 0, most_pixels);
}

/// `rrggbb` or `rgb`, hexadecimal.
[[nodiscard]] bool read_color(std::string_view from,
                              std::optional<rgb_color>& into);
/// Red, green and blue, each 0 to 255.
[[nodiscard]] bool read_color(arguments from, std::optional<rgb_color>& into);

/// `no`, `soea`, `sm`, … by its short name.
[[nodiscard]] std::optional<gravity_kind> gravity_named(std::string_view name);
[[nodiscard]] std::string_view name_of(gravity_kind kind);

/// Kind, x and y; both must be there for a focus point.
[[nodiscard]] bool read_gravity(arguments from, image_gravity& into);

[[nodiscard]] std::optional<resize_kind> resize_named(std::string_view name);
[[nodiscard]] std::string_view name_of(resize_kind kind);

/// Bytes of base64url, with or without padding.
[[nodiscard]] std::optional<std::string>
decode_base64url(std::string_view from);
/// None if a percent sign is not followed by two digits.
[[nodiscard]] std::optional<std::string> decode_percent(std::string_view from);

} // namespace troupe::media::image_arguments
