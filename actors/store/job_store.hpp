#pragma once

#include "actors/store/errc.hpp"
#include "actors/store/job.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace troupe::store {

// -- operations: all that changes jobs, but for claims and sweeps -------------

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
struct submit_op {
  job_draft draft;
  struct idempotency idempotency;
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
/// (`invalid_state`). With the newest fence of a job that has lost its lease
/// since and has not succeeded: no change, no error.
struct fail_op {
  std::string id;
  struct fence fence;
  std::string code;
  std::string message;
  bool retryable = false;
  std::int64_t retry_after_ms = 0; ///< at least; 0: backoff alone
  std::string checkpoint;          ///< kept if not empty
};

/// Why a lease is given back without an outcome.
enum class release_reason : std::uint8_t {
  drain,     ///< the server stops; spends no budget
  node_lost, ///< the attempt died with its node or actor; spends a loss
  postponed, ///< it was not its time; spends no budget, waits for `delay_ms`
};

/// running → queued (or failed, when losses are spent; each loss adds the
/// error `node_lost`), in its old place, the attempt not counted, or, if it is
/// postponed, → scheduled; cancelling → cancelled; publishing stays with a
/// lease that ends now, for `sweep` to hand out again. Repeated: as `fail_op`.
struct release_op {
  std::string id;
  struct fence fence;
  release_reason reason = release_reason::drain;
  std::int64_t delay_ms = 0; ///< of what is postponed
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

using operation =
  std::variant<submit_op, checkpoint_op, commit_op, succeed_op, fail_op,
               release_op, cancel_op, retry_op, purge_op>;

/// What became of one operation.
struct applied {
  errc error = errc::none;
  bool changed = false; ///< the job's revision was raised (or it is new)
  /// `submit_op`: the answer was given before, under this idempotency key.
  bool replayed = false;
  struct job job; ///< after the operation; empty if there is none
};

// -- claims and sweeps --------------------------------------------------------

struct claim_request {
  std::string queue;
  std::string node;        ///< who will work on them
  std::uint64_t nonce = 0; ///< random, not 0
  std::uint32_t max = 1;
  std::int64_t lease_ms = 15000;
};

/// A lease that somebody here holds.
struct held_lease {
  std::string id;
  struct fence fence;
};

/// What a sweep of everything that is due has done.
struct sweep_result {
  std::vector<job> queued;  ///< became ready: `run_at` reached
  std::vector<job> expired; ///< leases lost: now queued, failed or cancelled
  /// Publishing jobs whose lease had expired, leased anew to the caller, who
  /// finishes their publication.
  std::vector<job> roll_forward;
  timestamp_ms next_due = 0; ///< by the store's time; 0: nothing is waiting
  timestamp_ms now = 0;      ///< the store's time
  bool more = false;         ///< a bounded step; call again at once
};

struct sweep_request {
  std::string node;
  std::uint64_t nonce = 0;
  std::int64_t lease_ms = 15000;
  std::uint32_t max = 256; ///< of each kind
};

// -- reading ------------------------------------------------------------------

struct list_query {
  std::optional<job_state> state;
  std::string type, queue, tag, batch, owner; ///< empty: any
  std::uint32_t page_size = 100;              ///< 1…1000
  std::string page_token;                     ///< empty: from the newest
};

struct job_page {
  std::vector<job> jobs;       ///< newest first
  std::string next_page_token; ///< empty at the end
};

/// One queue's jobs by state.
struct queue_depth {
  std::string queue;
  std::uint64_t by_state[job_state_count] = {};
  std::int64_t oldest_age_ms = 0; ///< of what is queued; 0 if nothing is
};

// -- the interface ------------------------------------------------------------

struct store_options {
  std::string url; ///< as `config::store_settings::url`, not empty
  std::int64_t lease_ms = 15000;
  std::int64_t ageing_ms = 60000;
  std::int64_t timeout_ms = 1000;
  std::int64_t retention_ms = 7LL * 24 * 3600 * 1000;
  std::uint64_t retention_count = 100000;
  std::uint64_t max_queued = 10000000;
  /// Added to the store's own clock; for tests. Null: nothing is added.
  std::function<std::int64_t()> clock_offset_ms;
};

/// The durable queue behind one interface. Every call is atomic, blocks until
/// it is as durable as the store makes it, and is made by one thread at a
/// time. A call that fails as a whole with `errc::unavailable` may or may not
/// have happened; every operation can be repeated without a second effect.
///
/// Invariants, in every store:
/// - a job is in exactly one state index, that of its `state`;
/// - `queued` jobs, and no others, stand in their queue's ready order, by
///   `ready time − priority × ageing`, then by the store's sequence, which a
///   job gets when it is created and keeps; the ready time is its `run_at`;
/// - `running`, `cancelling` and publishing jobs have a lease, others none;
/// - a `unique_key` belongs to at most one job that is not terminal.
class job_store {
public:
  virtual ~job_store() = default;

  /// Applies all operations in order. One answer each, same order.
  virtual result<std::vector<applied>>
  apply(std::span<const operation> ops) = 0;

  /// Leases up to `max` ready jobs of a queue, best first; `attempt` and
  /// `fence.epoch` are raised, `state` is running, `progress` is empty.
  /// Promotes what is due in every queue (at most 1,000) before.
  virtual result<std::vector<job>> claim(const claim_request& request) = 0;

  /// Extends leases and writes `alive`, also when `leases` is empty. One answer
  /// each: `none`, or `stale_fence` for one that is lost, `invalid_state` for
  /// one that is `cancelling` (it is renewed nevertheless).
  virtual result<std::vector<errc>> renew(std::span<const held_lease> leases,
                                          std::int64_t lease_ms) = 0;

  /// Promotes due jobs, expires leases (not before `alive` has been written
  /// for one full lease after a gap), trims by retention: a bounded step.
  virtual result<sweep_result> sweep(const sweep_request& request) = 0;

  /// Takes back every lease of an earlier life of `node`: running jobs are
  /// queued again at no cost, cancelling ones end, publishing ones come back
  /// in `roll_forward`, leased anew. Leases with the nonce of the request are
  /// those of this life: repeat with the same nonce while `more`. For a server
  /// that holds its data folder's lock.
  virtual result<sweep_result> adopt(const sweep_request& request) = 0;

  virtual result<job> get(const std::string& id) = 0;

  /// Newest first: by descending sequence. `page_size` is coerced to 1…1000.
  /// @returns fewer than `page_size` with a token if a filter other than
  /// `state` and `batch` passed over 1,000 rows.
  virtual result<job_page> list(const list_query& query) = 0;

  virtual result<std::vector<queue_depth>> depths() = 0;

  /// What a submit reaches here at best.
  [[nodiscard]] virtual durability level() const noexcept = 0;
};

/// Opens the store that `options.url` names. `bad_config` for an unfit server
/// or URL, `unavailable` for one that does not answer.
[[nodiscard]] result<std::unique_ptr<job_store>>
open_store(const store_options& options);

} // namespace troupe::store
