#include "net/log_tail.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace troupe::net {

/// Lines that are still there are so in their order.
std::string_view log_tail::news_in(std::string_view text) {
  const auto before = std::exchange(seen_, {});
  auto next = before.begin();
  std::size_t known = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size() - 1) + 1;
    seen_.push_back(std::hash<std::string_view>{}(text.substr(at, end - at)));
    const auto found = std::find(next, before.end(), seen_.back());
    if (found != before.end()) {
      next = found + 1;
      known = end;
    }
    at = end;
  }
  return text.substr(known);
}

} // namespace troupe::net
