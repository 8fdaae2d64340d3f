#pragma once

#include "actors/store/job_store.hpp"

#include <string>
#include <string_view>

namespace troupe::store {

/// What a server says of itself and of its append-only file.
struct redis_log_facts {
  std::string life;     ///< its run id
  timestamp_ms now = 0; ///< by its own clock
  bool has_log = false;
  bool syncs = false; ///< nothing fails, and no child holds syncs back
  bool idle = false;  ///< nothing is unwritten, no sync is under way
};

/// @param info reply to INFO
[[nodiscard]] redis_log_facts read_log_facts(std::string_view info);

/// One look more at a server that syncs its log once a second.
/// @return true once all that it was told before the first look is synced: it
/// was idle, began to sync at least two seconds later, and was idle again.
[[nodiscard]] bool look_again(sync_watch& watch, const redis_log_facts& facts);

} // namespace troupe::store
