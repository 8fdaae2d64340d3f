#pragma once

#include "media/cache/cache_key.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace troupe::media {

/// What is known of something that is kept, beside its bytes.
struct cache_note {
  std::uint8_t kind = 0;           ///< the owner's: what the bytes are
  float cost = 0;                  ///< of making it again, milliseconds
  std::uint64_t source = 0;        ///< `mark_of` its source, for purges
  std::vector<std::uint64_t> tags; ///< `mark_of` each; at most four
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
      if (tag == mark)
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
