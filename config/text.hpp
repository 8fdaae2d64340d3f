#pragma once

#include <string>
#include <string_view>

namespace troupe::config {

/// The text with ASCII letters in lower case; other bytes stay.
[[nodiscard]] inline std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// The text without blanks, tabs and line ends around it.
[[nodiscard]] constexpr std::string_view
trimmed(std::string_view text) noexcept {
  constexpr std::string_view blanks = " \t\r\n";
  const auto from = text.find_first_not_of(blanks);
  if (from == text.npos)
    return {};
  return text.substr(from, text.find_last_not_of(blanks) - from + 1);
}

} // namespace troupe::config
