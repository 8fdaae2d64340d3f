#pragma once

#include "media/cache/cache_key.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace troupe::media {

/// Of a note.
inline constexpr std::size_t most_noted_tags = 4;
/// Stands alone for all tags where there are more.
inline constexpr std::uint64_t any_tag = ~std::uint64_t{0};

/// What is known of something that is kept, beside its bytes.
struct cache_note {
  std::uint8_t kind = 0;    ///< the owner's: what the bytes are
  float cost = 0;           ///< of making it again, milliseconds
  std::uint64_t source = 0; ///< `mark_of` its source, for purges
  /// `mark_of` each, at most `most_noted_tags`; or `any_tag`.
  std::vector<std::uint64_t> tags;

  /// @return false: all were there
  bool add_tags(std::span<const std::uint64_t> more) {
    auto all = tags;
    if (all != std::vector{any_tag})
      all.insert(all.end(), more.begin(), more.end());
    std::ranges::sort(all);
    all.erase(std::unique(all.begin(), all.end()), all.end());
    if (all.size() > most_noted_tags)
      all = {any_tag};
    if (all == tags)
      return false;
    tags = std::move(all);
    return true;
  }
};

/// Some bytes as they are kept; shared and never changed.
struct cached_bytes {
  cache_note note;
  cache_key digest; ///< of the bytes
  std::string bytes;
};
using cached_ptr = std::shared_ptr<const cached_bytes>;

/// What a purge is about.
struct purge_order {
  enum class kind : std::uint8_t { source, tag, all };
  kind what = kind::all;
  std::uint64_t mark = 0; ///< of the source or the tag

  [[nodiscard]] bool meets(const cache_note& note) const {
    if (what == kind::all)
      return true;
    if (what == kind::source)
      return note.source == mark;
    for (const auto tag : note.tags)
      if (tag == mark || tag == any_tag)
        return true;
    return false;
  }
};

/// Of one tier of a cache.
struct cache_figures {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  std::uint64_t evicted = 0; ///< since the start
  std::uint64_t broken = 0;  ///< found damaged and dropped, since the start
  std::uint64_t dropped = 0; ///< never written: the disk was too slow
};

} // namespace troupe::media
