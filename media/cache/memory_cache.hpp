#pragma once

#include "media/cache/cached.hpp"
#include "media/cache/eviction_order.hpp"

#include <mutex>
#include <unordered_map>
#include <vector>

namespace troupe::media {

/// Bytes in memory under a budget. Thread-safe; no call blocks for long.
/// Invariant: `bytes_` is the sum of what `slots_` holds, at most the budget;
/// each key stands in `where_` and its slot in `order_`.
class memory_cache {
public:
  explicit memory_cache(std::uint64_t budget) : budget_(budget) {}

  /// Null: not here.
  [[nodiscard]] cached_ptr find(const cache_key& key);
  /// Replaces what was under the key. What is larger than an eighth of the
  /// budget is not kept.
  void put(const cache_key& key, cached_ptr what);
  /// @return how many went
  std::size_t purge(const purge_order& order);
  [[nodiscard]] cache_figures figures() const;

private:
  struct place {
    cache_key key;
    cached_ptr what;
  };
  void drop(eviction_order::slot at);

  const std::uint64_t budget_;
  mutable std::mutex mutex_;
  std::unordered_map<cache_key, eviction_order::slot> where_;
  std::vector<place> slots_;
  std::vector<eviction_order::slot> free_;
  eviction_order order_;
  std::uint64_t bytes_ = 0;
  std::uint64_t evicted_ = 0;
};

} // namespace troupe::media
