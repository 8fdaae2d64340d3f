#pragma once

#include "actors/store/job.hpp"
#include "actors/store/redis_client.hpp"

namespace troupe::store {

/// What a server is like.
struct redis_facts {
  int major_version = 0;
  durability level = durability::memory;
};

/// Asks a server that was just connected, and marks the database as ours.
/// `bad_config` when it evicts keys or holds jobs of another layout.
/// @pre `connection` is open
[[nodiscard]] result<redis_facts> inspect_redis(redis_connection& connection);

/// @pre `connection` is open
[[nodiscard]] result<redis_memory>
ask_redis_memory(redis_connection& connection);

} // namespace troupe::store
