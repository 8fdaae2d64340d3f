#pragma once

#include "actors/store/job.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// How a job lies in Redis: one field, whose numbers and indexed texts the
/// scripts read (`HEADER` in lua/job.lua) and whose other texts only we do.
namespace troupe::store {

/// A draft for lua/submit.lua, which sets state, times and sequence.
[[nodiscard]] std::string pack_for_redis(const job_draft& draft,
                                         durability reached);

/// @return false when the bytes are no job of ours; `it` is then unspecified.
[[nodiscard]] bool unpack_from_redis(std::string_view bytes, job& it);

/// The job's place in lists. @pre `bytes` were unpacked before
[[nodiscard]] std::uint64_t sequence_in_redis(std::string_view bytes);

/// As scripts compare it: epoch and nonce, 8 bytes each.
[[nodiscard]] std::string pack_fence(const fence& proof);
/// The fence's second half.
[[nodiscard]] std::string pack_nonce(std::uint64_t nonce);

/// What the lanes of a queue begin with; see `lane` in lua/indexes.lua. @pre at
/// most 255 bytes
[[nodiscard]] std::string lane_prefix(std::string_view queue);
/// What the index of batches has in front of a job; empty for no batch.
[[nodiscard]] std::string batch_prefix(std::string_view batch);

} // namespace troupe::store
