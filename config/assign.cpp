#include "config/assign.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <type_traits>

namespace troupe::config {

namespace {

template <class T>
constexpr bool is_list = false;
template <class T>
constexpr bool is_list<std::vector<T>> = true;

template <class T>
written number_in(std::string_view text) {
  T value{};
  const auto* last = text.data() + text.size();
  auto [end, wrong] = std::from_chars(text.data(), last, value);
  if (text.empty() || wrong != std::errc{} || end != last)
    return std::monostate{};
  return value;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto comma = text.find(',');
    auto part = text.substr(0, comma);
    while (part.starts_with(' '))
      part.remove_prefix(1);
    while (part.ends_with(' '))
      part.remove_suffix(1);
    parts.emplace_back(part);
    text = comma == text.npos ? "" : text.substr(comma + 1);
  }
  return parts;
}

written numbers_in(const std::vector<std::string>& texts) {
  std::vector<std::int64_t> numbers;
  for (const auto& text : texts) {
    const auto number = number_in<std::int64_t>(text);
    if (const auto* whole = std::get_if<std::int64_t>(&number))
      numbers.push_back(*whole);
    else
      return std::monostate{};
  }
  return numbers;
}

/// Digits without an exponent or trailing zeros where that is short.
std::string digits(double value) {
  char buffer[64];
  const auto end =
    value == std::floor(value) && value < 1e15
      ? std::to_chars(buffer, std::end(buffer), static_cast<long long>(value))
      : std::to_chars(buffer, std::end(buffer), value);
  return {buffer, end.ptr};
}

std::string range_of(const key& which, double greatest) {
  return digits(which.min) + " to " + digits(std::min(which.max, greatest));
}

std::string check_text(const key& which, std::string_view text) {
  if (text.find('\0') != text.npos)
    return "must not contain a NUL";
  return which.check ? which.check(text) : std::string{};
}

std::string set(const key& which, const written& value, bool& to) {
  if (const auto* given = std::get_if<bool>(&value)) {
    to = *given;
    return {};
  }
  return "must be true or false";
}

template <class T>
requires std::is_unsigned_v<T> std::string set(const key& which,
                                               const written& value, T& to) {
  constexpr auto greatest = static_cast<double>(std::numeric_limits<T>::max());
  const auto* given = std::get_if<std::int64_t>(&value);
  if (!given || static_cast<double>(*given) < which.min
      || static_cast<double>(*given) > std::min(which.max, greatest))
    return "must be a whole number from " + range_of(which, greatest);
  to = static_cast<T>(*given);
  return {};
}

std::string set(const key& which, const written& value, double& to) {
  auto given = std::numeric_limits<double>::quiet_NaN();
  if (const auto* whole = std::get_if<std::int64_t>(&value))
    given = static_cast<double>(*whole);
  else if (const auto* number = std::get_if<double>(&value))
    given = *number;
  if (!(given >= which.min && given <= which.max))
    return "must be a number from " + range_of(which, which.max);
  to = given;
  return {};
}

template <class T>
requires std::is_assignable_v<T&, std::string> &&(!std::is_arithmetic_v<T>)
  std::string set(const key& which, const written& value, T& to) {
  const auto* given = std::get_if<std::string>(&value);
  if (!given)
    return "must be a text";
  auto wrong = check_text(which, *given);
  if (wrong.empty())
    to = *given;
  return wrong;
}

template <class T>
std::vector<std::string> set(const key& which, const written& value,
                             std::vector<T>& to) {
  const auto* given = std::get_if<std::vector<std::string>>(&value);
  if (!given)
    return {"must be a list of texts"};
  std::vector<std::string> wrong;
  for (const auto& element : *given)
    if (const auto fault = check_text(which, element); !fault.empty())
      wrong.push_back("\"" + element + "\" " + fault);
  if (wrong.empty())
    to.assign(given->begin(), given->end());
  return wrong;
}

std::vector<std::string> set(const key& which, const written& value,
                             std::vector<std::uint32_t>& to) {
  const auto* given = std::get_if<std::vector<std::int64_t>>(&value);
  const auto fits = [&which](std::int64_t each) {
    return static_cast<double>(each) >= which.min
           && static_cast<double>(each) <= which.max;
  };
  if (!given || given->empty() || !std::ranges::all_of(*given, fits))
    return {"must be a list of whole numbers from "
            + range_of(which, std::numeric_limits<std::uint32_t>::max())};
  to.assign(given->begin(), given->end());
  return {};
}

std::vector<std::string> as_list(std::vector<std::string> wrong) {
  return wrong;
}

std::vector<std::string> as_list(std::string wrong) {
  if (wrong.empty())
    return {};
  return {std::move(wrong)};
}

} // namespace

written read_text(const key& which, std::string_view text) {
  settings scratch;
  return std::visit(
    [text](auto* to) -> written {
      using value = std::remove_pointer_t<decltype(to)>;
      if constexpr (std::is_same_v<value, bool>) {
        if (text != "true" && text != "false")
          return std::monostate{};
        return text == "true";
      } else if constexpr (std::is_unsigned_v<value>) {
        return number_in<std::int64_t>(text);
      } else if constexpr (std::is_same_v<value, double>) {
        return number_in<double>(text);
      } else if constexpr (std::is_same_v<value, std::vector<std::uint32_t>>) {
        return numbers_in(split_list(text));
      } else if constexpr (is_list<value>) {
        return split_list(text);
      } else {
        return std::string{text};
      }
    },
    which.of(scratch));
}

std::vector<std::string> assign(const key& which, const written& value,
                                settings& into) {
  return std::visit([&](auto* to) { return as_list(set(which, value, *to)); },
                    which.of(into));
}

} // namespace troupe::config
