#pragma once

#include "config/result.hpp"
#include "media/cache/cache_key.hpp"

#include <chrono>
#include <deque>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace troupe::media {

/// Failures that are told again for a while. Thread-safe.
/// Invariant: each key of `known_` stands in `order_`, oldest first.
class negative_book {
public:
  using clock = std::chrono::steady_clock;

  explicit negative_book(std::chrono::milliseconds life) : life_(life) {}

  void put(const cache_key& key, failure why, clock::time_point now) {
    const std::lock_guard lock{mutex_};
    if (life_ <= life_.zero())
      return;
    const auto [at, fresh] = known_.try_emplace(key);
    at->second = {std::move(why), now + life_};
    if (fresh)
      order_.push_back(key);
    if (order_.size() <= most)
      return;
    known_.erase(order_.front());
    order_.pop_front();
  }

  [[nodiscard]] std::optional<failure> find(const cache_key& key,
                                            clock::time_point now) const {
    const std::lock_guard lock{mutex_};
    const auto found = known_.find(key);
    if (found == known_.end() || found->second.until <= now)
      return std::nullopt;
    return found->second.why;
  }

  void clear() {
    const std::lock_guard lock{mutex_};
    known_.clear();
    order_.clear();
  }

private:
  struct record {
    failure why;
    clock::time_point until;
  };
  static constexpr std::size_t most = 10'000;

  const std::chrono::milliseconds life_;
  mutable std::mutex mutex_;
  std::unordered_map<cache_key, record> known_;
  std::deque<cache_key> order_;
};

} // namespace troupe::media
