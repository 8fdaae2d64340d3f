#include "actors/store/redis_guess.hpp"

#include <algorithm>

namespace troupe::store {

namespace {

/// More are not worth reading in vain.
constexpr std::size_t lanes_to_guess = 4;
constexpr std::size_t ids_to_guess = 256;

} // namespace

void claim_guess::add(std::string_view id) {
  if (ids_.size() < ids_to_guess)
    ids_.emplace_back(id);
}

/// Jobs are mostly taken in the order in which they came: what stands before
/// one that was taken has gone another way.
void claim_guess::learn(std::vector<std::string> lanes,
                        std::span<const job> taken) {
  if (taken.empty())
    return;
  lanes_ = std::move(lanes);
  if (lanes_.size() > lanes_to_guess)
    lanes_.clear();
  bool any = false;
  for (const auto& it : taken) {
    const auto at = std::ranges::find(ids_, it.id);
    if (at == ids_.end())
      continue;
    ids_.erase(ids_.begin(), at + 1);
    any = true;
  }
  if (!any)
    ids_.clear();
}

} // namespace troupe::store
