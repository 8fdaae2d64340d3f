#pragma once

#include "actors/store/job_store.hpp"
#include "actors/store/redis_client.hpp"

#include <span>
#include <vector>

/// Between the interface's structs and the scripts' arguments and replies.
namespace troupe::store {

/// Jobs that one script handles at most; it then takes well under 5 ms.
inline constexpr std::size_t jobs_per_script = 64;

/// One call per run of equal operations; long and heavy runs are cut.
/// @param reached what a submit is told
[[nodiscard]] std::vector<script_call> calls_for(std::span<const operation> ops,
                                                 durability reached);

/// Appends the answers to one of these calls.
/// @param operations how many the call held; all of them are refused
/// (`queue_full`) when the server was out of memory
result<void> read_applied(const redisReply& reply, std::size_t operations,
                          std::vector<applied>& out);

/// How many operations a call made by `calls_for` holds.
[[nodiscard]] std::size_t operations_in(const script_call& call);

/// Appends the jobs of an array of packed jobs, from its `first` element.
result<void> read_jobs(const redisReply& reply, std::size_t first,
                       std::vector<job>& out);

/// A bulk string. `corrupt` for any other reply.
[[nodiscard]] result<std::string_view> read_text(const redisReply& reply);
/// @pre `reply` is an array with an integer at `at`, else 0
[[nodiscard]] std::int64_t number_at(const redisReply& reply, std::size_t at);
/// @return 0 for what is no array
[[nodiscard]] std::size_t size_of(const redisReply& reply);

} // namespace troupe::store
