#include "media/cache/memory_cache.hpp"

#include <utility>

namespace troupe::media {

namespace {

/// Of the bookkeeping of one.
constexpr std::uint64_t overhead = 256;

std::uint64_t size_of(const cached_bytes& what) {
  return what.bytes.size() + overhead;
}

} // namespace

cached_ptr memory_cache::find(const cache_key& key) {
  const std::lock_guard lock{mutex_};
  const auto found = where_.find(key);
  if (found == where_.end())
    return nullptr;
  order_.use(found->second);
  return slots_[found->second].what;
}

void memory_cache::drop(eviction_order::slot at) {
  auto& it = slots_[at];
  bytes_ -= size_of(*it.what);
  where_.erase(it.key);
  it.what = nullptr;
  order_.remove(at);
  free_.push_back(at);
}

void memory_cache::put(const cache_key& key, cached_ptr what) {
  const auto size = size_of(*what);
  const std::lock_guard lock{mutex_};
  if (const auto old = where_.find(key); old != where_.end())
    drop(old->second);
  if (size > budget_ / 8)
    return;
  while (bytes_ + size > budget_) {
    drop(*order_.pick());
    ++evicted_;
  }
  if (free_.empty()) {
    free_.push_back(static_cast<eviction_order::slot>(slots_.size()));
    slots_.emplace_back();
  }
  const auto at = free_.back();
  free_.pop_back();
  order_.add(at, what->note.cost, size);
  bytes_ += size;
  where_[key] = at;
  slots_[at] = {key, std::move(what)};
}

std::size_t memory_cache::purge(const purge_order& order) {
  const std::lock_guard lock{mutex_};
  std::size_t gone = 0;
  for (eviction_order::slot at = 0; at < slots_.size(); ++at) {
    if (!slots_[at].what || !order.meets(slots_[at].what->note))
      continue;
    drop(at);
    ++gone;
  }
  return gone;
}

cache_figures memory_cache::figures() const {
  const std::lock_guard lock{mutex_};
  return {where_.size(), bytes_, evicted_, 0, 0};
}

} // namespace troupe::media
