#include "config/threshold.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace troupe::config {

std::optional<threshold> parse_threshold(std::string_view text) {
  std::array<double, 3> numbers{};
  for (auto& number : numbers) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    const auto size = std::min(text.find(' '), text.size());
    const auto* last = text.data() + size;
    const auto read = std::from_chars(text.data(), last, number);
    if (read.ec != std::errc{} || read.ptr != last || !std::isfinite(number)
        || number < 0)
      return std::nullopt;
    text.remove_prefix(size);
  }
  if (text.find_first_not_of(' ') != text.npos)
    return std::nullopt;
  return threshold{numbers[0], numbers[1], numbers[2]};
}

} // namespace troupe::config
