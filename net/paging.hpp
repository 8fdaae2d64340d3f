#pragma once

#include "net/problem.hpp"
#include "net/target.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Pages of lists that are at hand as a whole.
namespace troupe::net {

/// A page that is asked for.
struct page_request {
  std::uint32_t size = 100; ///< 1…1000
  std::string after;        ///< the key of the page before's last; empty: none
};

/// Reads `page_size` and `page_token` of a list that takes nothing else.
/// @param list its name: a token is good for the list that gave it
[[nodiscard]] std::optional<problem>
read_page(const target& where, std::string_view list, page_request& out);

/// Leads to what follows the key.
[[nodiscard]] std::string page_token_of(std::string_view list,
                                        std::string_view key);

/// Sorts by key and leaves the page; the keys are distinct.
/// @param key of an item, as a reference to a string
/// @param before how keys are ordered
/// @return `next_page_token`, empty at the end
template <class T, class Key, class Before = std::less<>>
[[nodiscard]] std::string cut_page(std::vector<T>& all, std::string_view list,
                                   const page_request& asked, Key key,
                                   Before before = {}) {
  std::ranges::sort(all, before, key);
  if (!asked.after.empty())
    all.erase(all.begin(),
              std::ranges::upper_bound(all, asked.after, before, key));
  if (all.size() <= asked.size)
    return {};
  all.resize(asked.size);
  return page_token_of(list, std::invoke(key, all.back()));
}

} // namespace troupe::net
