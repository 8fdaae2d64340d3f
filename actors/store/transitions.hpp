#pragma once

#include "actors/store/errc.hpp"
#include "actors/store/job_store.hpp"

#include <cstdint>
#include <string>

/// The rules that every store follows: the transition table of the API as
/// plain functions over a job, without a database. A store that makes its
/// transitions elsewhere (in a script) follows the same words.
///
/// A job's *ready time* is its `run_at`, set by the store at submit (now, the
/// draft's `run_at` or now + `delay_ms`, whichever is latest) and anew by each
/// retry; giving a lease back keeps it, so the job stands where it stood.
namespace troupe::store {

/// Losses that a job survives; the next one fails it.
inline constexpr std::uint32_t max_losses = 10;
/// Crashes of its codec child that fail a job.
inline constexpr std::uint32_t max_crashes = 2;

/// Lines that a job's log waits for; see `job::notes`.
inline constexpr std::size_t max_notes = 64;
/// How long an idempotency key is remembered.
inline constexpr std::int64_t idempotency_ms = 24LL * 3600 * 1000;
/// Rows that a page may look at for filters other than state and batch.
inline constexpr std::uint32_t max_scan = 1000;
/// Due jobs that one claim promotes at most.
inline constexpr std::uint32_t max_promote = 1000;

/// Beyond the priorities: the lane of jobs that somebody waits for.
inline constexpr std::int32_t urgent_lane = 10;
/// What puts their scores below 0 until the year 2109, and those of others not.
inline constexpr std::int64_t urgent_lead_ms = std::int64_t{1} << 42;

/// Which of the ready order's lists of its queue and group a job stands in.
[[nodiscard]] constexpr std::int32_t lane_number(const job_draft& it) noexcept {
  return it.deadline_ms > 0 ? urgent_lane : it.priority;
}

/// What a list tells of a job whose own record cannot be read.
constexpr void enter_lane(job_draft& it, std::int32_t lane) noexcept {
  it.priority = lane == urgent_lane ? urgent_lane - 1 : lane;
  it.deadline_ms = lane == urgent_lane ? 1 : 0;
}

/// Place in the ready order, lower first: `ready − priority × ageing`; before
/// that, below 0, by their deadlines, those that somebody waits for.
[[nodiscard]] constexpr std::int64_t score_of(const job& it,
                                              std::int64_t ageing_ms) noexcept {
  if (it.deadline_ms > 0)
    return it.created_at + it.deadline_ms - urgent_lead_ms;
  return it.run_at - it.priority * ageing_ms;
}

[[nodiscard]] constexpr bool is_urgent(std::int64_t score) noexcept {
  return score < 0;
}

/// When a job of that score became ready; of an urgent one, its deadline.
[[nodiscard]] constexpr timestamp_ms ready_of(std::int64_t score,
                                              std::int32_t lane,
                                              std::int64_t ageing_ms) noexcept {
  return score + (lane == urgent_lane ? urgent_lead_ms : lane * ageing_ms);
}

/// The wait before the attempt that follows the `attempt`th (from 1):
/// `initial · factor^(attempt-1)`, at most `max`, then spread by ±jitter.
/// @param random in 0…1; 0.5 spreads nothing.
[[nodiscard]] std::int64_t backoff_ms(const backoff& policy,
                                      std::uint32_t attempt,
                                      double random) noexcept;

/// True for states that wait for a claim; `max_queued` bounds their number.
[[nodiscard]] constexpr bool is_waiting(job_state state) noexcept {
  return state <= job_state::queued || state == job_state::paused;
}

/// True when an attempt holds the job: running, publishing or cancelling.
[[nodiscard]] constexpr bool is_leased(job_state state) noexcept {
  return state == job_state::running || state == job_state::cancelling;
}

/// What an operation did to a job. Without `changed` the job's revision is as
/// before; `stored` tells that something is to be written nevertheless.
struct verdict {
  errc error = errc::none;
  bool changed = false;
  bool stored = false;
  bool draft = false; ///< what a draft says has changed too
};

/// The job that a draft becomes: blocked if it depends on others, else
/// scheduled or queued; revision 1.
[[nodiscard]] job make_job(const job_draft& draft, timestamp_ms now,
                           durability reached);

/// Fences first: an operation whose fence is not that of the lease gets
/// `stale_fence`. A repeated outcome is no error, whatever has come since:
/// - `succeed` and `commit` of the fence that succeeded,
/// - `fail` and `release` of the newest fence, while the job has no lease and
///   has not succeeded.
verdict checkpoint(job& it, const checkpoint_op& op);
verdict commit(job& it, const commit_op& op);
verdict succeed(job& it, const succeed_op& op, timestamp_ms now);
/// @param random in 0…1, for the jitter.
verdict fail_attempt(job& it, const fail_op& op, timestamp_ms now,
                     double random);
/// A publishing job stays so; its lease ends now, or after `delay_ms`, so that
/// a sweep finds it.
verdict release(job& it, const release_op& op, timestamp_ms now);
verdict cancel(job& it, timestamp_ms now);
/// The caller refuses (`invalid_state`) when another job holds the unique key.
/// @param pending how many of `depends_on` have not ended
verdict retry(job& it, std::uint32_t pending, timestamp_ms now);
verdict pause(job& it, timestamp_ms now);
verdict resume(job& it, timestamp_ms now);

/// Where a job that is no longer held by anything waits: blocked, scheduled or
/// queued.
[[nodiscard]] job_state waiting_place(const job& it, timestamp_ms now) noexcept;
/// Blocked or paused, one of the jobs that it depends on has ended.
void parent_ended(job& it, timestamp_ms now);
/// Blocked or paused, it ends without having run: failed, or cancelled if
/// `why.code` is empty.
void give_up(job& it, job_error why, timestamp_ms now);

/// scheduled → queued.
void promote(job& it);
/// Cancelled by its store before its first attempt, with an error.
[[nodiscard]] inline bool was_refused(const job& it) noexcept {
  return it.state == job_state::cancelled && !it.errors.empty()
         && it.errors.back().attempt == 0;
}

/// The newest attempt's start stands in `notes`, or stood there.
void note_start(job& it);

/// queued → running: raises `attempt` (unless the one before is not counted)
/// and `fence.epoch`, clears `progress`.
void lease(job& it, const claim_request& request, timestamp_ms now);
/// The lease has run out: like `release` for a lost node. Not for publishing.
void expire(job& it, timestamp_ms now);
/// Drain's way back for a lease of an earlier life. Not for publishing.
void take_back(job& it, timestamp_ms now);
/// Whether `adopt` leaves this lease alone.
[[nodiscard]] bool is_kept(const job& it, const sweep_request& request);
/// Leases a publishing job anew, to whoever sweeps; `attempt` stays.
void roll_forward(job& it, const sweep_request& request, timestamp_ms now);

/// What a renewed lease's holder is told, see `job_store::renew`.
[[nodiscard]] errc renewed(const job& it) noexcept;

/// When leases may expire: `alive` is written by each renewal; a gap longer
/// than half a lease grants everybody one full lease from its end.
struct alive_clock {
  timestamp_ms alive = 0; ///< the newest renewal
  timestamp_ms grace_until = 0;

  void renewed(timestamp_ms now, std::int64_t lease_ms) noexcept {
    if (now - alive > lease_ms / 2)
      grace_until = now + lease_ms;
    alive = now;
  }

  [[nodiscard]] bool may_expire(timestamp_ms now,
                                std::int64_t lease_ms) const noexcept {
    return now - alive <= lease_ms / 2 && now >= grace_until;
  }
};

} // namespace troupe::store
