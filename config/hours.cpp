#include "config/hours.hpp"

#include <charconv>

namespace troupe::config {

namespace {

constexpr std::uint32_t day = 24 * 60;
constexpr std::uint64_t most_mbit = 1'000'000'000;

template <class T>
std::optional<T> whole(std::string_view text) {
  T out = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, out);
  if (error != std::errc{} || at != end)
    return std::nullopt;
  return out;
}

/// `HH:MM`, up to 24:00.
std::optional<std::uint32_t> minute_of(std::string_view text) {
  if (text.size() != 5 || text[2] != ':')
    return std::nullopt;
  const auto hour = whole<std::uint32_t>(text.substr(0, 2));
  const auto minute = whole<std::uint32_t>(text.substr(3));
  if (!hour || !minute || *minute > 59 || *hour * 60 + *minute > day)
    return std::nullopt;
  return *hour * 60 + *minute;
}

} // namespace

std::optional<hours> parse_hours(std::string_view text) {
  constexpr std::size_t time = 5;
  constexpr std::size_t span = 2 * time + 1;
  if (text.size() < span + 2 || text[time] != '-' || text[span] != ' ')
    return std::nullopt;
  const auto from = minute_of(text.substr(0, time));
  const auto until = minute_of(text.substr(time + 1, time));
  const auto mbit = whole<std::uint64_t>(text.substr(span + 1));
  if (!from || !until || !mbit || *from == day || *from == *until
      || *mbit > most_mbit)
    return std::nullopt;
  return hours{*from, *until, *mbit};
}

} // namespace troupe::config
