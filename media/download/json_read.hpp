#pragma once

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <cmath>
#include <optional>
#include <string>
#include <string_view>

/// Reading JSON that others wrote: what is not of the type that we want is
/// as good as absent.
namespace troupe::media {

namespace json = boost::json;

[[nodiscard]] inline std::optional<json::object>
parse_object(std::string_view text) {
  boost::system::error_code bad;
  auto parsed = json::parse(text, bad);
  if (bad || !parsed.is_object())
    return std::nullopt;
  return std::move(parsed.get_object());
}

[[nodiscard]] inline std::string text_of(const json::object& from,
                                         std::string_view key) {
  const auto* found = from.if_contains(key);
  return found && found->is_string() ? std::string{found->get_string()}
                                     : std::string{};
}

/// -1 if absent or no finite number.
[[nodiscard]] inline double number_of(const json::object& from,
                                      std::string_view key) {
  const auto* found = from.if_contains(key);
  if (!found || !found->is_number())
    return -1;
  boost::system::error_code bad;
  const auto value = found->to_number<double>(bad);
  return bad || !std::isfinite(value) ? -1 : value;
}

[[nodiscard]] inline bool truth_of(const json::object& from,
                                   std::string_view key) {
  const auto* found = from.if_contains(key);
  return found && found->is_bool() && found->get_bool();
}

[[nodiscard]] inline const json::array* array_of(const json::object& from,
                                                 std::string_view key) {
  const auto* found = from.if_contains(key);
  return found ? found->if_array() : nullptr;
}

[[nodiscard]] inline const json::object* object_of(const json::object& from,
                                                   std::string_view key) {
  const auto* found = from.if_contains(key);
  return found ? found->if_object() : nullptr;
}

} // namespace troupe::media
