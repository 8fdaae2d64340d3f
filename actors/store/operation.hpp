#pragma once

#include "actors/store/callback.hpp"
#include "actors/store/errc.hpp"
#include "actors/store/flow_operations.hpp"
#include "actors/store/job.hpp"
#include "actors/store/moment.hpp"
#include "actors/store/schedule.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// All that changes single jobs, but for claims and sweeps.
namespace troupe::store {

/// A POST that may be repeated. `scope` tells principal, method, path and key
/// apart; `body_hash` is the SHA-256 of the raw body.
struct idempotency {
  std::string scope; ///< empty: the client sent no key
  std::string body_hash;
};

/// Adds a job. Looked at in this order: an idempotency scope seen within 24 h
/// answers with the job as it was first answered (or `idempotency_mismatch`);
/// a `unique_key` that a job not yet terminal holds, with that job, unchanged;
/// an id that is stored, with its job, unchanged; then `queue_full`. Jobs that
/// wait (scheduled, blocked, queued, paused) count for `max_queued`.
///
/// With `depends_on` the job is `blocked` until `job_store::follow` finds that
/// all of them have ended; `no_parent` when one of them is not stored.
struct submit_op {
  job_draft draft;
  struct idempotency idempotency;
  /// What its sender wants at least. The store waits for others only if it has
  /// to (`replica`); `job::reached` tells what became of it.
  durability asked = durability::memory;
  bool strict = false; ///< refused rather than stored less safely
  /// Acknowledged already, while the store was away: `queue_full` does not
  /// apply, and a job whose key (unique or idempotency) was taken meanwhile is
  /// stored nevertheless, `cancelled` with the error `duplicate`. What it was
  /// to be delayed by counts from `since`, whatever clocks say.
  bool spooled = false;
  moment since = {}; ///< of one with a delay: when it was acknowledged
};

/// → running's progress (and checkpoint, if not empty); no revision, no event.
struct checkpoint_op {
  std::string id;
  struct fence fence;
  media::progress progress;
  std::string checkpoint;
};

/// running → publishing. Repeated with the same fence it replaces the
/// manifest: so a free name is reserved before a file takes it.
struct commit_op {
  std::string id;
  struct fence fence;
  std::string result;
  std::vector<media::staged_file> manifest;
};

/// running | publishing → succeeded. Again with the same fence: no change. An
/// empty `result` leaves what was committed. Cancelling: `invalid_state`.
struct succeed_op {
  std::string id;
  struct fence fence;
  std::string result;
};

/// running → queued | scheduled (another attempt) | failed; cancelling →
/// cancelled (without an entry in `errors`). Publishing is refused
/// (`invalid_state`) unless its result is lost. Pausing: what would be another
/// attempt is `paused`. With the newest fence of a job that has lost its lease
/// since and has not succeeded: no change, no error.
struct fail_op {
  std::string id;
  struct fence fence;
  std::string code;
  std::string message;
  bool retryable = false;
  std::int64_t retry_after_ms = 0; ///< at least; 0: backoff alone
  std::string checkpoint;          ///< kept if not empty
  /// The attempt's codec child crashed: always another attempt, which is not
  /// counted, but for the second crash, which fails the job with `poison`.
  bool crash = false;
  /// What was committed is gone for good: publishing → failed.
  bool result_lost = false;
};

/// Why a lease is given back without an outcome.
enum class release_reason : std::uint8_t {
  drain,     ///< the server stops; spends no budget
  node_lost, ///< the attempt died with its node or actor; spends a loss
  postponed, ///< it was not its time; spends no budget, waits for `delay_ms`
};

/// running → queued (or failed, when losses are spent; each loss adds the
/// error `node_lost`), in its old place, the attempt not counted, or, if it is
/// postponed, → scheduled; cancelling → cancelled; pausing → paused; publishing
/// stays with a lease that ends now, or after `delay_ms`, for `sweep` to hand
/// out again. Repeated: as `fail_op`.
struct release_op {
  std::string id;
  struct fence fence;
  release_reason reason = release_reason::drain;
  std::int64_t delay_ms = 0; ///< of what is postponed, or publishing
};

/// As the transition table of the API says for "cancel".
struct cancel_op {
  std::string id;
};

/// failed | cancelled → queued, fresh budgets, checkpoint and errors kept.
/// `invalid_state` also when another job holds its `unique_key` now.
struct retry_op {
  std::string id;
};

/// Removes a terminal job.
struct purge_op {
  std::string id;
};

/// Undoes a submit that was refused after it was stored: a job that still
/// waits is removed, one that has begun is cancelled, one that has ended stays.
/// Its idempotency key is free again.
struct withdraw_op {
  std::string id;
  std::string scope; ///< as submitted
};

/// scheduled | blocked | queued → paused; running → pausing: its lease ends by
/// `release_op` or `fail_op`, and it is then `paused`. Paused, pausing and
/// publishing jobs are left alone, all others are in an `invalid_state`.
struct pause_op {
  std::string id;
};

/// paused → queued (scheduled while `run_at` lies ahead, blocked while jobs
/// that it depends on have not ended); a pausing job runs on. Jobs that wait
/// and publishing ones are left alone, all others are in an `invalid_state`.
struct resume_op {
  std::string id;
};

/// A running job makes jobs: `checkpoint_op` and its children in one. Their
/// ids are made by `child_id`, so that a rerun adds nothing; ids that are
/// stored are left alone. `parent` is set here. All or none: `queue_full`,
/// `no_parent`.
struct spawn_op {
  std::string id;
  struct fence fence;
  media::progress progress;
  std::string checkpoint;
  std::vector<job_draft> children;
};

/// Appends whole lines to the job's log, which keeps its newest 64 KiB.
struct log_op {
  std::string id;
  std::string text; ///< each line `{time} {level} {message}\n`
};

/// Adds a schedule or replaces the one of its name. When cron and time zone
/// stay as they are, so does its next time. `bad_schedule`.
struct put_schedule_op {
  struct schedule schedule;
};

struct drop_schedule_op {
  std::string name;
};

/// What came of delivering a callback. `not_found` when its job was purged,
/// `stale_fence` when another took it.
struct settle_callback_op {
  callback_settlement done;
};

using operation =
  std::variant<submit_op, checkpoint_op, commit_op, succeed_op, fail_op,
               release_op, cancel_op, retry_op, purge_op, withdraw_op, pause_op,
               resume_op, spawn_op, log_op, put_schedule_op, drop_schedule_op,
               put_queue_op, put_limit_op, settle_callback_op>;

/// What became of one operation.
struct applied {
  errc error = errc::none;
  bool changed = false; ///< the job's revision was raised (or it is new)
  /// `submit_op`: the answer was given before, under this idempotency key.
  bool replayed = false;
  struct job job; ///< after the operation; empty if there is none
  /// Something waits for what happened: `job_store::follow` has work.
  bool follow = false;
  /// `spawn_op`: children that are new.
  std::vector<struct job> added = {};
  /// `submit_op`: another job holds the `unique_key`; `job` is that one. Of a
  /// replay: it was so then.
  bool held = false;
};

/// Nothing was done.
[[nodiscard]] inline applied refused(errc why) {
  applied answer;
  answer.error = why;
  return answer;
}

/// The id of the job that `parent` makes for `item`: always the same, as
/// time-ordered as the parent's.
[[nodiscard]] std::string child_id(std::string_view parent,
                                   std::string_view item);

} // namespace troupe::store
