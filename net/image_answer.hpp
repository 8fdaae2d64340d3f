#pragma once

#include "media/cache/cached.hpp"
#include "net/image_request.hpp"

#include <string_view>

namespace troupe::net {

/// An image that is there, and how it came.
struct image_at_hand {
  media::cached_ptr image;
  bool stands_in = false; ///< for a better one that is being made
  std::string_view how;   ///< of X-Cache: hit, miss, coalesced, stale
  double look_ms = 0;     ///< at source and cache
  double wait_ms = 0;     ///< for a child
  double make_ms = 0;
};

/// 200, or 304 where the client has it (RFC 9110, 13.1.2).
[[nodiscard]] response image_answer(const request& req,
                                    const wanted_image& wanted,
                                    const image_at_hand& what);

/// Why there is no image. Not to be kept by caches.
[[nodiscard]] response image_refusal(const failure& why);
[[nodiscard]] response image_refusal(const problem& why);

} // namespace troupe::net
