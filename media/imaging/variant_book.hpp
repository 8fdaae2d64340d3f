#pragma once

#include "media/cache/cache_key.hpp"
#include "media/image/derivation.hpp"

#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe::media {

/// Which images of a source are kept, as far as others may be made of them.
/// Those that went from the cache are found out when they are wanted.
/// Thread-safe. Invariant: each source of `known_` stands in `order_`, oldest
/// first.
class variant_book {
public:
  struct entry {
    made_variant how;
    image_facts source; ///< what its header says
    cache_key key;
  };

  void add(const std::string& source, entry fresh);

  /// The one with the fewest pixels that `wanted` may be made of.
  [[nodiscard]] std::optional<entry> feed_of(const std::string& source,
                                             const image_options& wanted,
                                             bool lossy) const;

  void clear();

private:
  static constexpr std::size_t most_sources = 10'000;
  static constexpr std::size_t most_each = 8;

  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::vector<entry>> known_;
  std::deque<std::string> order_;
};

} // namespace troupe::media
