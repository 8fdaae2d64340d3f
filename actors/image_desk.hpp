#pragma once

#include "actors/gateway.hpp"
#include "media/imaging/work.hpp"

#include <chrono>
#include <cstdint>

namespace troupe::actors {

/// An image to be made.
struct image_ask {
  media::work_ptr work; ///< `hurry`: a page waits
  std::chrono::steady_clock::time_point deadline;
  int priority = 5; ///< 0 to 9, of what nobody waits for
};

struct image_reply {
  media::cached_ptr image;
  bool coalesced = false; ///< somebody else had asked for it
  double waited_ms = 0;   ///< for a child
  double made_ms = 0;     ///< of the child's task
};

/// Of the crew.
struct crew_figures {
  struct side {
    std::uint64_t waiting = 0; ///< tasks
    std::uint64_t busy = 0;
    std::uint64_t children = 0;
  };
  side page;
  side batch;
  std::uint64_t tasks = 0;   ///< given to children since the start
  std::uint64_t outputs = 0; ///< of them
  std::uint64_t coalesced = 0;
  std::uint64_t refused = 0;
  std::uint64_t replaced = 0; ///< children, since they were slow
};

/// Has images made. Thread-safe; no call blocks.
class image_desk {
public:
  virtual ~image_desk() = default;
  /// Failures are those of media, `errc::deadline`, or, where too many wait,
  /// one of the overload category.
  virtual void make(image_ask ask, reply_to<image_reply> reply) = 0;
  virtual void crew(reply_to<crew_figures> reply) = 0;
};

} // namespace troupe::actors
