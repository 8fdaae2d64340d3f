#include "media/stream/held_bytes.hpp"

#include <algorithm>

namespace troupe::media {

void held_bytes::note(const cache_key& key, const cached_ptr& what) {
  const std::lock_guard lock{mutex_};
  held_[key] = what;
  if (held_.size() < sweep_at_)
    return;
  std::erase_if(held_, [](const auto& each) { return each.second.expired(); });
  sweep_at_ = std::max(least_sweep, 2 * held_.size());
}

cached_ptr held_bytes::find(const cache_key& key) {
  const std::lock_guard lock{mutex_};
  const auto found = held_.find(key);
  return found == held_.end() ? nullptr : found->second.lock();
}

std::size_t held_bytes::size() const {
  const std::lock_guard lock{mutex_};
  return held_.size();
}

} // namespace troupe::media
