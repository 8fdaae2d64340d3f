#include "media/imaging/accept.hpp"

#include "config/text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace troupe::media {

namespace {

constexpr double most_dpr = 3;
/// Screens have ratios such as 2.625, and zoomed pages any.
constexpr double dpr_step = 0.25;

/// Takes the part before the next separator off.
std::string_view next(std::string_view& text, char separator) {
  const auto end = std::min(text.find(separator), text.size());
  const auto part = config::trimmed(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto* last = text.data() + text.size();
  const auto [end, wrong] =
    std::from_chars(text.data(), last, value, std::chars_format::fixed);
  if (wrong != std::errc{} || end != last || text.empty())
    return std::nullopt;
  return value;
}

/// Of a media range's parameters; a weight that cannot be read is none.
double weight_of(std::string_view parameters) {
  while (!parameters.empty()) {
    const auto one = config::lower(next(parameters, ';'));
    if (one.starts_with("q="))
      return number(std::string_view{one}.substr(2)).value_or(0);
  }
  return 1;
}

} // namespace

accepted_formats read_accept(std::string_view field) {
  accepted_formats out;
  while (!field.empty()) {
    auto range = next(field, ',');
    const auto name = config::lower(next(range, ';'));
    const bool wanted = weight_of(range) > 0;
    if (name == "image/avif")
      out.avif = wanted;
    else if (name == "image/webp")
      out.webp = wanted;
  }
  return out;
}

size_hints read_hints(std::string_view dpr, std::string_view width,
                      std::span<const std::uint32_t> steps) {
  size_hints out;
  if (const auto said = number(config::trimmed(dpr)); said && *said > 0)
    out.dpr = std::min(std::ceil(*said / dpr_step) * dpr_step, most_dpr);
  const auto said = number(config::trimmed(width));
  if (!said || !(*said >= 1) || *said > 65535 || steps.empty())
    return out;
  auto best = std::ranges::max(steps);
  for (const auto step : steps)
    if (step >= *said)
      best = std::min(best, step);
  out.width = static_cast<int>(best);
  return out;
}

} // namespace troupe::media
