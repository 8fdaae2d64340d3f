#include "config/credentials.hpp"

#include <algorithm>

namespace troupe::config {

namespace {

/// What ends the authority of a URL, or the URL in the text around it.
constexpr std::string_view authority_ends = "/?#\"'<>\\ \t\r\n";

} // namespace

std::string hide_credentials(std::string_view text) {
  constexpr std::string_view before = "://";
  std::string out;
  for (auto at = text.find(before); at != text.npos; at = text.find(before)) {
    const auto begin = at + before.size();
    const auto end =
      std::min(text.find_first_of(authority_ends, begin), text.size());
    const auto authority = text.substr(begin, end - begin);
    out.append(text.substr(0, begin));
    if (const auto sign = authority.rfind('@'); sign != authority.npos)
      out.append("***").append(authority.substr(sign));
    else
      out.append(authority);
    text.remove_prefix(end);
  }
  return out.append(text);
}

} // namespace troupe::config
