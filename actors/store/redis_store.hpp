#pragma once

#include "actors/store/job_store.hpp"

#include <memory>

namespace troupe::store {

/// The store in a Redis server (or Valkey, or any that speaks like Redis 7 and
/// runs Lua), at `redis://…` or `unix://…`; see `read_redis_url`. Any number
/// of stores may work on one database at a time.
///
/// A lost connection answers `unavailable` and is opened again within a later
/// call. `bad_config` for a wrong URL or password, a server that evicts keys,
/// and data of another layout; `unavailable` for a server that does not answer.
[[nodiscard]] result<std::unique_ptr<job_store>>
open_redis_store(const store_options& options);

} // namespace troupe::store
