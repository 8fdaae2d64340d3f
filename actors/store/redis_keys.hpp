#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace troupe::store {

/// All that we keep, whatever the number of jobs. Hashes, and sorted sets that
/// are ordered by name or by time.
enum class redis_key : std::uint8_t {
  meta,  ///< hash: layout, version, the newest sequence, clock
  jobs,  ///< hash: id → packed job, behind a header that each write changes
  ready, ///< by name: the queued jobs by lane and rank
  heads, ///< by name: the first of each lane that is in the order
  schedule,  ///< by time: ids of scheduled jobs
  leases,    ///< by time: ids of leased jobs
  states,    ///< by name: state, sequence, id
  finished,  ///< by name: class, time, id; what is forgotten first is first
  unique,    ///< hash: unique key → id
  batches,   ///< by name: batch, sequence, id
  answers,   ///< hash: idempotency scope → first answer
  forget,    ///< by time: when to forget it
  depth,     ///< hash: number of jobs by state and queue
  records,   ///< hash: kind, key → what lies beside the jobs (`transaction`)
  due,       ///< by time: records that `follow` finds
  calls_due, ///< by time: records that a sender of callbacks finds
  links,     ///< by name: kind, owner, member
  tallies,   ///< hash: number of jobs by state and batch
  limits,    ///< hash: of queues and keys: limit and bucket
  running,   ///< hash: of queues and keys: number of leased jobs
  parked,    ///< by name: heads and lanes that are out of the order
  tokens,    ///< by time: when a token returns
};
inline constexpr std::size_t redis_key_count = 22;

/// By `redis_key`, and so by `KEYS[1 + key]`. The tag keeps them in one slot of
/// a cluster.
inline constexpr std::array<std::string_view, redis_key_count> redis_keys{
  "{troupe}:meta",    "{troupe}:jobs",     "{troupe}:ready",
  "{troupe}:heads",   "{troupe}:schedule", "{troupe}:leases",
  "{troupe}:states",  "{troupe}:finished", "{troupe}:unique",
  "{troupe}:batches", "{troupe}:answers",  "{troupe}:forget",
  "{troupe}:depth",   "{troupe}:records",  "{troupe}:due",
  "{troupe}:calls",   "{troupe}:links",    "{troupe}:tallies",
  "{troupe}:limits",  "{troupe}:running",  "{troupe}:parked",
  "{troupe}:tokens"};

[[nodiscard]] constexpr std::string_view name_of(redis_key key) noexcept {
  return redis_keys[static_cast<std::size_t>(key)];
}

/// True for hashes; the others are sorted sets.
[[nodiscard]] constexpr bool is_hash(redis_key key) noexcept {
  return key == redis_key::meta || key == redis_key::jobs
         || key == redis_key::unique || key == redis_key::answers
         || key == redis_key::depth || key == redis_key::records
         || key == redis_key::tallies || key == redis_key::limits
         || key == redis_key::running;
}

} // namespace troupe::store
