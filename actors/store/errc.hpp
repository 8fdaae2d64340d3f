#pragma once

#include <cstdint>
#include <system_error>

namespace troupe::store {

/// Why a store did not do what it was asked. Append only.
enum class errc : std::uint8_t {
  none = 0,
  unavailable,   ///< away, frozen, loading, read-only; outcome unknown
  not_found,     ///< no such job
  invalid_state, ///< the transition table says no
  stale_fence,   ///< the lease belongs to another claim, or to none
  queue_full,    ///< over `max_queued`, or the server's memory limit
  disk_full,
  idempotency_mismatch, ///< the key was used with another body
  bad_page_token,
  bad_config,   ///< refused at start, such as an evicting `maxmemory-policy`
  corrupt,      ///< a row that cannot be read
  locked,       ///< another process holds the data folder
  pausing,      ///< the attempt is to stop: its job is being paused
  no_parent,    ///< `depends_on` names no job, or jobs that wait for each other
  bad_schedule, ///< its expression or time zone makes no sense
  not_durable,  ///< less safe than was asked, and taken back for it
  parent_failed, ///< a job it depends on has not succeeded
  no_result,     ///< its params use what a job it depends on has not left
};

/// Category "store".
[[nodiscard]] const std::error_category& store_category() noexcept;
[[nodiscard]] std::error_code make_error_code(errc code) noexcept;

} // namespace troupe::store

template <>
struct std::is_error_code_enum<troupe::store::errc> : std::true_type {};
