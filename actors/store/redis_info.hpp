#pragma once

#include "actors/store/job.hpp"
#include "actors/store/redis_client.hpp"

namespace troupe::store {

/// The value of a line `name:value` of an INFO reply; empty if missing.
[[nodiscard]] std::string_view info_field(std::string_view info,
                                          std::string_view name);
/// The same of a number; 0 if missing.
[[nodiscard]] std::uint64_t info_number(std::string_view info,
                                        std::string_view name);

/// Replicas that follow the server, by its INFO reply.
[[nodiscard]] std::uint32_t replicas_in(std::string_view info);

/// Asks a server that was just connected, and marks the database as ours.
/// `bad_config` when it evicts keys or holds jobs of another layout.
/// @pre `connection` is open
[[nodiscard]] result<redis_facts> inspect_redis(redis_connection& connection);

/// What may change while a server is connected: its memory, and in `known` its
/// replicas and what its log is worth. `bad_config` when it evicts keys now.
/// @pre `connection` is open
[[nodiscard]] result<redis_memory> look_at_redis(redis_connection& connection,
                                                 redis_facts& known);

/// Asks one Sentinel after the other where the master is, and who is: the
/// first that tells counts. `unavailable` when none does.
[[nodiscard]] result<redis_endpoint> find_master(const redis_address& address,
                                                 std::int64_t timeout_ms);

} // namespace troupe::store
