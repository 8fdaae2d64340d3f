#pragma once

#include "actors/store/batches.hpp"
#include "actors/store/flow_limits.hpp"
#include "actors/store/transaction.hpp"
#include "actors/store/transitions.hpp"

#include <cstdint>
#include <string_view>

/// What an audit knows of single records, for all stores alike, and how it
/// mends them.
///
/// A job that cannot be read ends as failed, with the error `corrupt`, here as
/// when a claim or a sweep comes upon it, and in every store: with what is
/// still known of it, be it no more than its id (`unknown_name`). So it can be
/// looked at and deleted, its batch ends, and what depends on it goes on.
namespace troupe::store {

/// Type or queue of a job of which not even these can be read.
inline constexpr std::string_view unknown_name = "unknown";

/// Ends a job that cannot be read.
/// @param known what is known of it, its `id` at least
[[nodiscard]] job corrupt_job(job known, timestamp_ms now);

/// When those who look for what is due must find a record.
struct due_times {
  timestamp_ms mended = 0; ///< when a lost time is set to; 0: never is right
  timestamp_ms latest = INT64_MAX;

  [[nodiscard]] bool allows(timestamp_ms due) const noexcept {
    return due <= latest && (due > 0 || mended == 0);
  }
};

[[nodiscard]] due_times due_times_of(record_kind kind, std::string_view body,
                                     timestamp_ms now);

/// Why an open batch will not end; empty: it will.
/// @param noticed it has a record `progress`
[[nodiscard]] std::string_view why_endless(const batch_record& it,
                                           const transaction::counters& jobs,
                                           bool noticed);

/// What is wrong with a limit; empty: nothing.
/// @param mended what it is to be; idle if it is to be removed
[[nodiscard]] std::string_view
wrong_in_limit(std::string_view bytes, timestamp_ms now, flow_limit& mended);

/// True for a place in the ready order that a job has never had, whatever
/// `ageing_s` was when it got it.
[[nodiscard]] bool is_misplaced(const job& it, std::int64_t score) noexcept;

/// True for a lease that no server gives.
[[nodiscard]] bool is_endless(timestamp_ms lease_until,
                              timestamp_ms now) noexcept;

/// When an answer that is kept is forgotten at the latest.
[[nodiscard]] timestamp_ms latest_expiry(timestamp_ms now) noexcept;

/// True for a clock that goes ahead of time: leases would never expire, or at
/// once.
[[nodiscard]] bool is_ahead(const alive_clock& it, timestamp_ms now) noexcept;

} // namespace troupe::store
