#include "media/image/svg.hpp"

#include "config/text.hpp"

#include <algorithm>
#include <string>

namespace troupe::media {

namespace {

constexpr std::string_view space = " \t\r\n";
constexpr std::string_view entity = "<!ENTITY";
constexpr std::size_t longest_entity = 256;
constexpr long most_references = 10'000;
/// An XML declaration ends here.
constexpr std::size_t declared_within = 200;

void skip_space(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(space), text.size()));
}

/// What follows `<!ENTITY`: a name and a quoted value.
bool is_word(std::string_view text) {
  skip_space(text);
  if (text.starts_with('%'))
    return false;
  text.remove_prefix(std::min(text.find_first_of(space), text.size()));
  skip_space(text);
  if (text.empty() || (text.front() != '"' && text.front() != '\''))
    return false;
  const auto value = text.substr(1, text.find(text.front(), 1) - 1);
  return value.size() <= longest_entity
         && value.find_first_of("&%<") == value.npos;
}

bool is_known_encoding(std::string_view text) {
  auto head = text.substr(0, declared_within);
  if (head.find("<?xml") == head.npos)
    return true;
  head = head.substr(0, head.find("?>"));
  const auto at = head.find("encoding");
  if (at == head.npos)
    return true;
  const auto open = head.find_first_of("\"'", at);
  if (open == head.npos)
    return false;
  const auto end = head.find(head[open], open + 1);
  const auto name = config::lower(head.substr(open + 1, end - open - 1));
  return name == "utf-8" || name == "us-ascii" || name == "iso-8859-1";
}

} // namespace

std::string_view svg_fault(std::string_view text) {
  if (text.find('\0') != text.npos || !is_known_encoding(text))
    return "a drawing must be in UTF-8";
  const auto first = text.find(entity);
  if (first == text.npos)
    return {};
  for (auto at = first; at != text.npos; at = text.find(entity, at + 1))
    if (!is_word(text.substr(at + entity.size())))
      return "a drawing's entities must be short words";
  if (std::ranges::count(text, '&') > most_references)
    return "a drawing refers to too many entities";
  return {};
}

} // namespace troupe::media
