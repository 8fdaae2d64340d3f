#include "config/keys.hpp"
#include "config/load.hpp"

#include <toml++/toml.h>

#include <sstream>
#include <type_traits>
#include <utility>

namespace troupe::config {

namespace {

void print(std::ostream& out, const std::string& text) {
  const toml::value<std::string> value{text};
  out << toml::default_formatter{value, toml::format_flags::none};
}

void print(std::ostream& out, bool flag) {
  out << (flag ? "true" : "false");
}

template <class T>
requires std::is_arithmetic_v<T>
void print(std::ostream& out, T number) {
  out << number;
}

template <class T>
void print(std::ostream& out, const std::vector<T>& list) {
  const char* before = "[";
  for (const auto& element : list) {
    out << std::exchange(before, ", ");
    if constexpr (std::is_arithmetic_v<T>)
      print(out, element);
    else
      print(out, std::string{element});
  }
  out << (list.empty() ? "[]" : "]");
}

/// `user:password@` of a URL gives way.
void hide_user(std::string& url) {
  const auto from = url.find("://");
  const auto at = url.rfind('@');
  if (from != url.npos && at != url.npos && at > from)
    url.replace(from + 3, at - from - 3, "***");
}

} // namespace

std::string show(const settings& values, std::string_view name) {
  const auto* known = find_key(name);
  if (!known)
    return {};
  auto copy = values;
  if (!copy.callbacks.secret.empty())
    copy.callbacks.secret = "***";
  hide_user(copy.store.url);
  std::ostringstream out;
  std::visit([&out](const auto* at) { print(out, *at); }, known->of(copy));
  return out.str();
}

} // namespace troupe::config
