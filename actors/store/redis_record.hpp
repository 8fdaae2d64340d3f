#pragma once

#include "actors/store/job.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// How jobs and the members of indexes lie in Redis. Numbers within members
/// are big-endian, so that they order as bytes do.
namespace troupe::store {

/// A job with what the store adds to it.
struct redis_record {
  struct job job;
  std::uint64_t sequence = 0;
  std::uint64_t writes = 0; ///< how often it has been written
  std::int64_t score = 0;   ///< its place in the ready order
};

/// Bytes that a record begins with and that no two states of it share.
inline constexpr std::size_t record_token_size = 17;

[[nodiscard]] std::string pack_record(const redis_record& it);
/// @return false when the bytes are no job of ours; `it` is then unspecified.
[[nodiscard]] bool unpack_record(std::string_view bytes, redis_record& it);

/// An answer to be repeated; a record of `answers` begins with its expiry.
struct redis_answer {
  timestamp_ms expiry = 0;
  std::string body_hash;
  std::string packed;
};
inline constexpr std::size_t answer_token_size = 8;

[[nodiscard]] std::string pack_answer(const redis_answer& it);
/// @return as `unpack_record`
[[nodiscard]] bool unpack_answer(std::string_view bytes, redis_answer& it);

// -- members ------------------------------------------------------------------

/// What the lanes of a queue begin with. @pre at most 255 bytes
[[nodiscard]] std::string queue_prefix(std::string_view queue);
/// A lane is one priority of one group of one queue: its jobs stand together
/// in `ready`, by rank.
[[nodiscard]] std::string lane_of(const job_draft& draft);
/// @return how long the lane is that a member of `ready` begins with; 0 for
/// what is no such member
[[nodiscard]] std::size_t lane_size(std::string_view member);
/// The concurrency key of a lane's jobs. @pre `lane` is one
[[nodiscard]] std::string key_of_lane(std::string_view lane);

inline constexpr std::size_t rank_size = 16;
/// Score, then sequence.
[[nodiscard]] std::string rank_of(std::int64_t score, std::uint64_t sequence);
/// @pre `rank` is one
[[nodiscard]] std::int64_t score_in(std::string_view rank);

/// In `states`: state, sequence, id.
[[nodiscard]] std::string state_prefix(job_state state);
inline constexpr std::size_t state_prefix_size = 1;
/// In `batches`: batch, sequence, id.
[[nodiscard]] std::string batch_prefix(std::string_view batch);
/// In `finished`: class, time, id; what retention forgets first is first.
[[nodiscard]] std::string finished_prefix(job_state state);
inline constexpr std::size_t finished_prefix_size = 1 + 8;

/// 8 bytes.
[[nodiscard]] std::string ordered(std::uint64_t number);
/// The number that `ordered` made. @pre 8 bytes at least
[[nodiscard]] std::uint64_t ordered_in(std::string_view bytes);

} // namespace troupe::store
