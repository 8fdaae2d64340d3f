#pragma once

#include "actors/store/audit.hpp"
#include "actors/store/batch.hpp"
#include "actors/store/callback.hpp"
#include "actors/store/operation.hpp"
#include "actors/store/stream_record.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace troupe::store {

// -- claims and sweeps --------------------------------------------------------

struct claim_request {
  std::string queue;
  std::string node;        ///< who will work on them
  std::uint64_t nonce = 0; ///< random, not 0
  std::uint32_t max = 1;
  std::int64_t lease_ms = 15000;
  bool urgent = false; ///< only what somebody waits for
};

/// What a claim has found and done.
struct claim_result {
  std::vector<job> jobs;     ///< leased, best first
  std::vector<job> promoted; ///< of any queue, now queued: `run_at` reached
  /// There are limits: what ends may make room for more.
  bool limited = false;
  /// When a rate lets through more, if that is why fewer than `max` were
  /// found; 0: nobody knows.
  timestamp_ms next_at = 0;
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
  timestamp_ms next_due = 0;     ///< by the store's time; 0: nothing is waiting
  timestamp_ms now = 0;          ///< the store's time
  bool more = false;             ///< a bounded step; call again at once
  std::vector<job> changed = {}; ///< as `follow_result`
  std::vector<batch> batches = {}; ///< as `follow_result`
};

struct sweep_request {
  std::string node;
  std::uint64_t nonce = 0;
  std::int64_t lease_ms = 15000;
  std::uint32_t max = 256; ///< of each kind
  /// `adopt`: leases of this node that are good.
  std::vector<held_lease> keep = {};
  /// `adopt`: `node_lost` for attempts that may have begun, which spends a
  /// loss; `drain` for claims whose answer never came, which costs nothing.
  release_reason reason = release_reason::drain;
};

/// What has come of what had ended, or was due.
struct follow_result {
  /// Jobs that were let go on (blocked → scheduled, queued, failed or
  /// cancelled) and new ones (revision 1, of schedules and batches).
  std::vector<job> changed;
  /// Batches with jobs that have ended; one that has `finished_at` set told so
  /// for the first time if that is later than its last answer here.
  std::vector<batch> batches;
  timestamp_ms now = 0; ///< the store's time
  bool more = false;    ///< a bounded step; call again at once
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

enum class bulk_action : std::uint8_t { retry, cancel, purge };

/// The same for many jobs. `filter.page_size` and `page_token` are not used.
struct bulk_request {
  bulk_action action = bulk_action::cancel;
  list_query filter;
  bool dry_run = false;    ///< counts only
  std::string cursor;      ///< empty: from the newest; else `next_cursor`
  std::uint32_t max = 256; ///< jobs that one step looks at
};

struct bulk_result {
  std::uint64_t matched = 0; ///< jobs that the action can be done to
  std::vector<job> changed;  ///< after it; purged ones as they were
  std::string next_cursor;   ///< empty: all have been looked at
  bool follow = false;       ///< `follow` has work
};

/// The limits of a `concurrency_key`; 0: none.
struct key_limit {
  std::string key;
  std::uint32_t concurrency = 0;
  double rate_per_s = 0;
};

/// One queue's jobs by state.
struct queue_depth {
  std::string queue;
  std::uint64_t by_state[job_state_count] = {};
  std::int64_t oldest_age_ms = 0; ///< of what is queued; 0 if nothing is
};

/// A queue as clients see it.
struct queue_info : queue_depth {
  bool paused = false;
  std::uint32_t concurrency = 0;     ///< 0: no limit
  double rate_per_s = 0;             ///< 0: no limit
  std::uint32_t key_concurrency = 0; ///< of each key; 0: no limit
  double throughput_per_s = 0;       ///< attempts that ended at this server
};

/// How far looks at one piece of what a store was told have come. One that is
/// new asks for all that was told before its first look.
struct sync_watch {
  std::string life;
  std::uint8_t step = 0;
  timestamp_ms since = 0; ///< of its first step, by the server's clock
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
///   those that somebody waits for stand before all others, by their deadlines;
/// - `running`, `cancelling` and publishing jobs have a lease, others none;
/// - a `unique_key` belongs to at most one job that is not terminal;
/// - `blocked` jobs have `pending` parents, and stand among each of these's
///   `waits`; a job that any open one depends on is not forgotten;
/// - a batch's counters are those of its jobs; it finishes once.
/// - a group (the jobs of a queue with one `concurrency_key`) at its limit does
///   not stand in the ready order until a slot or a token returns.
class job_store {
public:
  virtual ~job_store() = default;

  /// Applies all operations in order. One answer each, same order.
  virtual result<std::vector<applied>>
  apply(std::span<const operation> ops) = 0;

  /// Leases up to `max` ready jobs of a queue, best first; `fence.epoch` is
  /// raised, and `attempt` unless the one before costs nothing; `state` is
  /// running, `progress` is empty.
  /// Promotes what is due in every queue (at most 1,000) before. Obeys the
  /// limits of queue and keys: no more than `concurrency` of them hold leases,
  /// in all servers together, whatever claims, ends and changes of limits race.
  virtual result<claim_result> claim(const claim_request& request) = 0;

  /// Extends leases and writes `alive`, also when `leases` is empty. One answer
  /// each: `none`, or `stale_fence` for one that is lost. One that is to end is
  /// renewed nevertheless: `invalid_state` for a cancelling job, `pausing`.
  virtual result<std::vector<errc>> renew(std::span<const held_lease> leases,
                                          std::int64_t lease_ms) = 0;

  /// The answers of `renew`, without writing anything: what other servers have
  /// done to these leases. Where no other server can, always `none`.
  virtual result<std::vector<errc>> look(std::span<const held_lease> leases) {
    return std::vector<errc>(leases.size(), errc::none);
  }

  /// Promotes due jobs, expires leases (not before `alive` has been written
  /// for one full lease after a gap), trims by retention: a bounded step.
  virtual result<sweep_result> sweep(const sweep_request& request) = 0;

  /// Takes back every lease of `node` but those in `keep`: running jobs are
  /// queued again, at the cost that `reason` tells, cancelling ones end,
  /// publishing ones come back in `roll_forward`, leased anew with the
  /// request's nonce; those are kept, too: repeat with the same nonce while
  /// `more`. For a server that holds its data folder's lock.
  virtual result<sweep_result> adopt(const sweep_request& request) = 0;

  /// One bounded step of what has to be done once, later, by any server:
  /// releases and fails dependants, opens and ends batches, fires schedules
  /// that are due. `sweep` does one too. To be called after an answer that
  /// says `follow`, until there is no more.
  virtual result<follow_result> follow(const sweep_request& request) = 0;

  /// Adds a batch and its jobs: all or none, though large ones are staged in
  /// several steps. `batch` is set in each job. A job whose `unique_key` is
  /// taken, be it by one before it in the batch (those that a job depends on
  /// come before it, else their order counts), ends cancelled, with `duplicate`
  /// and the other's id; it is a job of the batch nevertheless. Errors as
  /// `submit_op`; an id that is stored answers with its batch, `replayed`.
  /// @pre at most `max_batch_jobs` jobs, with ids that are new
  virtual result<batch_submitted> submit_batch(const batch_draft& draft,
                                               std::span<const job_draft> jobs,
                                               const idempotency& key) = 0;
  virtual result<batch> get_batch(const std::string& id) = 0;

  /// One bounded step of an action on many jobs.
  virtual result<bulk_result> bulk(const bulk_request& request) = 0;

  /// By name.
  virtual result<std::vector<schedule>> schedules() = 0;
  virtual result<schedule> get_schedule(const std::string& name) = 0;

  /// Adds a stream's record or replaces the one of its id.
  virtual result<void> put_stream(const stream_record& it) = 0;
  /// `not_found` if there is none.
  virtual result<void> drop_stream(const std::string& id) = 0;
  virtual result<stream_record> get_stream(const std::string& id) = 0;
  /// By id, at most 1,000 after `after`.
  virtual result<std::vector<stream_record>>
  streams(const std::string& after) = 0;

  /// Up to `max` callbacks that are due, for the caller to deliver; they are
  /// hidden from others for 60 s.
  virtual result<std::vector<callback>> take_callbacks(std::uint32_t max) = 0;
  /// Those that were given up, by id, after `after`.
  virtual result<std::vector<callback>> dead_callbacks(const std::string& after,
                                                       std::uint32_t max) = 0;
  /// A dead callback is due again. `invalid_state` for one that is not dead.
  virtual result<void> retry_callback(const std::string& id) = 0;

  /// The lines that `log_op` has appended.
  virtual result<std::string> log_of(const std::string& id) = 0;

  virtual result<job> get(const std::string& id) = 0;

  /// Newest first: by descending sequence. `page_size` is coerced to 1…1000.
  /// @returns fewer than `page_size` with a token if a filter other than
  /// `state` and `batch` passed over 1,000 rows.
  virtual result<job_page> list(const list_query& query) = 0;

  virtual result<std::vector<queue_depth>> depths() = 0;

  /// The same with what limits each queue; also of queues without jobs.
  virtual result<std::vector<queue_info>> queues() = 0;
  /// All 0 for a key that is not limited.
  virtual result<key_limit> limit_of(const std::string& key) = 0;

  /// Looks whether all this holds, a bounded step of it, whoever else works on
  /// the store. Repairs what it finds if asked to; counters of jobs only while
  /// nobody else writes.
  virtual result<audit_result> audit(const audit_request& request) = 0;

  /// What a submit reaches here at best.
  [[nodiscard]] virtual durability level() const noexcept = 0;

  /// Names the life of the server that has answered last. Another one may not
  /// know what was told before and is not `synced`.
  [[nodiscard]] virtual std::string life() const {
    return {};
  }

  /// One look at whether what was told is as safe as it will ever be here: on
  /// a server's disk if it has a log, and at a replica if it has any.
  virtual result<bool> synced(sync_watch& watch) {
    static_cast<void>(watch);
    return true;
  }
};

/// Opens the store that `options.url` names. `bad_config` for an unfit server
/// or URL, `unavailable` for one that does not answer.
[[nodiscard]] result<std::unique_ptr<job_store>>
open_store(const store_options& options);

} // namespace troupe::store
