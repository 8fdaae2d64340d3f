#pragma once

#include "media/cache/cached.hpp"

#include <cstddef>
#include <mutex>
#include <unordered_map>

namespace troupe::media {

/// What somebody still holds, perhaps as a client takes it slowly, though no
/// cache has room for it: whoever asks for it then shares it. Thread-safe.
class held_bytes {
public:
  void note(const cache_key& key, const cached_ptr& what);
  /// Null: nobody holds it.
  [[nodiscard]] cached_ptr find(const cache_key& key);
  /// Noted, and perhaps held no more.
  [[nodiscard]] std::size_t size() const;

private:
  static constexpr std::size_t least_sweep = 64;

  mutable std::mutex mutex_;
  std::unordered_map<cache_key, std::weak_ptr<const cached_bytes>> held_;
  std::size_t sweep_at_ = least_sweep;
};

} // namespace troupe::media
