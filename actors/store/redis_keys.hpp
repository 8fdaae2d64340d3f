#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace troupe::store {

/// All that we keep, whatever the number of jobs. lua/README.md says what each
/// holds.
enum class redis_key : std::uint8_t {
  meta,
  jobs,
  ready,
  heads,
  schedule,
  leases,
  states,
  finished,
  unique,
  batches,
  answers,
  forget,
  depth,
  records,
  due,
  calls_due,
  links,
  tallies,
  limits,
  running,
  parked,
  tokens,
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
