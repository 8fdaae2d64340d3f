#pragma once

#include "actors/commit_group.hpp"
#include "actors/lease_board.hpp"
#include "actors/lease_table.hpp"
#include "actors/messages.hpp"
#include "actors/overload_guard.hpp"
#include "actors/rate_meter.hpp"
#include "actors/spooled_jobs.hpp"
#include "actors/store/spool.hpp"
#include "actors/store/ulid.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

namespace troupe::config {
class metrics;
}

namespace troupe::actors {

/// What others may see of a queue from their own threads.
struct queue_status {
  std::atomic<bool> store_up = false;
  std::atomic<bool> draining = false;
  std::atomic<store::durability> reaches = store::durability::memory;
  std::atomic<std::size_t> spooled = 0; ///< operations that wait for the store
  std::atomic<std::size_t> kept = 0;    ///< that it was told and may yet lose
  std::atomic<std::uint64_t> spooled_bytes = 0; ///< of both
  std::atomic<bool> spool_failed = false;       ///< full, or its disk is
};

struct queue_options {
  std::string node; ///< names this server in its leases, also after a restart
  std::int64_t lease_ms = 15000;
  /// Opens the store; called again when it could not be opened.
  std::function<result<std::unique_ptr<store::job_store>>()> open;
  /// Whether leases of this node are of an earlier process: they are taken
  /// back. False for a queue that replaces a dead one.
  bool adopt = true;
  std::shared_ptr<queue_status> status = std::make_shared<queue_status>();
  /// Shared with the renewer, which renews what stands there.
  std::shared_ptr<lease_board> board = std::make_shared<lease_board>();
  /// What waits for a store that is away, on this server's disk; none for a
  /// store that shares that disk.
  std::shared_ptr<store::spool> spool;
  lease_table::stall_rule stall;      ///< none: attempts may be silent for ever
  overload_limits overload;           ///< what queues may be like
  config::metrics* metrics = nullptr; ///< optional
};

/// What a queue tells itself: what waits is to be written.
struct queue_flush {};

/// A timer of the queue; one that is not the newest of its kind is stale.
struct queue_tick {
  enum kind_type : std::uint8_t {
    save,
    sweep,
    poll,
    retry,
    token,
    follow,
    stats,
    count
  };
  kind_type kind = save;
  std::uint64_t number = 0;
};

} // namespace troupe::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::queue_flush)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::queue_tick)

namespace troupe::actors {

using queue_impl =
  queue_actor::extend<caf::reacts_to<queue_flush>, caf::reacts_to<queue_tick>>;

/// State of the QUEUE. Invariants:
/// - what waits for the store is in `backlog_`, in order; it stands in the
///   spool, too, if there is one; while the store is there, only that waits
///   which it has no room for;
/// - what waited there stays in the spool until the store is sure to keep it;
/// - an event leaves before the reply or the lease that tells of its change;
/// - a lease is in `leases_` from its claim until its outcome is stored, or
///   until it is known to be lost;
/// - no more leases go to a manager than it has announced room for.
class queue_state {
public:
  using self_ptr = queue_impl::stateful_pointer<queue_state>;

  static inline const char* name = "troupe.queue";

  explicit queue_state(self_ptr self) : self_(self) {}

  void start(queue_options options);

  // From the edge.
  void submit(submit_request& request);
  void command(job_command& request);
  void get(get_request& request);
  void list(list_request& request);
  void depths(depths_request& request);
  void queues(queues_request& request);
  void call(store_call& request);
  void change(change_call& request);
  void submit_batch(batch_call& request);
  void show_batch(batch_request& request);
  void bulk(bulk_call& request);
  void show_log(log_call& request);

  // From managers and the root.
  commit_group::settle_promise settle(settle_request& request);
  void meet(announce& words);
  void add_room(const room& more);
  room take_room_back(const take_room& order);
  void note_progress(progress_report& report);
  callback_batch take_callbacks_due(const take_callbacks& wish);
  void settle_callback(const store::callback_settlement& done);
  void hear(renewal_report& news);
  void rewire(wiring& now);
  drained drain();

  // From itself.
  void flush();
  void tick(queue_tick now);

private:
  struct pool {
    manager_actor manager;
    std::uint32_t room = 0;
    std::uint32_t urgent_room = 0; ///< beside it, for what somebody waits for
    bool work = true;              ///< a claim may find something
    bool urgent_work = true;       ///< … that somebody waits for
    bool limited = false;          ///< … when a lease has ended
    std::vector<job_ref> roll_forward; ///< for a manager yet to come

    void wake() {
      work = urgent_work = true;
    }
    void wake(const store::job& ready) {
      work = true;
      urgent_work = urgent_work || ready.deadline_ms > 0;
    }
    [[nodiscard]] bool wants_any() const {
      return work && room > 0;
    }
    [[nodiscard]] bool wants_urgent() const {
      return urgent_work && urgent_room > 0;
    }
  };

  using clock = std::chrono::steady_clock;

  // Group commit (queue.cpp).
  void arm_flush();
  template <class Reply>
  bool no_store(const answer<Reply>& reply) const;
  result<std::vector<store::applied>>
  apply(const std::vector<store::operation>& ops);
  bool write(commit_group group, bool in_doubt);
  bool write_apart(commit_group group, const failure& why, bool in_doubt);
  void refuse(commit_group one, const failure& why, bool in_doubt);
  std::optional<failure> overload_of(const std::string& queue,
                                     std::uint64_t jobs, bool urgent = false);
  job_ref take_effect(const store::operation& op, store::applied& done,
                      bool in_doubt, event_batch& events);
  void follow_job(const store::operation& op, const store::job& job);
  std::vector<store::operation>
  last_progress(const std::vector<store::operation>& outcomes);
  void reply_all(commit_group& group, const std::vector<store::applied>& done,
                 const std::vector<job_ref>& jobs);
  void take_back(const store::submit_op& op, const answer<submit_reply>& reply);
  void reply_settle(commit_group::settle_entry& entry,
                    std::span<const store::applied> done,
                    std::span<const job_ref> jobs);
  void emit(event_batch events);
  void on_exit(const caf::exit_msg& msg);

  // Leases (queue_leases.cpp).
  void claim_all();
  bool claim_for(const std::string& queue, pool& to);
  void hand_out(pool& to, std::vector<store::job> jobs, bool urgent);
  void tell_promoted(std::vector<store::job> jobs, timestamp_ms time);
  void claim_at(timestamp_ms store_time);
  result<void> renew_leases();
  void judge_lease(const store::held_lease& held, store::errc verdict);
  void end_stalled(const store::held_lease& held);
  void store_progress();
  void revoke(const std::string& id, media::errc why, bool pause = false);
  void lose_lease(const std::string& id);
  void end_lease(const std::string& id, const store::fence& fence,
                 std::string_view outcome);
  void discard(const store::job& job);
  void on_manager_down(const caf::down_msg& down);
  void lose_manager(const std::string& queue, pool& to,
                    store::release_reason why);

  // Sweeps and time (queue_sweep.cpp).
  void sweep();
  bool catch_up();
  bool adopt(store::release_reason reason);
  bool adopt_once();
  void doubt(clock::duration patience);
  bool settle_doubts();
  void take_sweep(store::sweep_result& found);
  void roll_forward(std::vector<store::job> jobs);
  void arm(queue_tick::kind_type kind, clock::duration after);
  void sweep_at(timestamp_ms store_time);
  [[nodiscard]] clock::time_point now() const;
  [[nodiscard]] timestamp_ms store_now() const;
  [[nodiscard]] timestamp_ms time_of(job_event_type type,
                                     const store::job& job) const;

  // Beside single jobs (queue_calls.cpp).
  void follow_soon();
  void follow();
  void take_changed(std::vector<store::job>& changed, timestamp_ms time);
  void note_change(const store::job& job);
  void take_batches(const std::vector<store::batch>& batches,
                    timestamp_ms time);
  void wake_callbacks();
  void tell_stats();
  result<std::vector<store::queue_info>> read_queues();

  // The store goes and comes back (queue_store.cpp).
  void wake();
  template <class T>
  bool heard(const result<T>& answer);
  void heed(const failure& why);
  void complain(const failure& why);
  void lose_store(const failure& why);
  void retry_store();
  void load_spool();
  void wait_for_store(commit_group outcomes);
  void hold_back(commit_group group, const failure& why, bool in_doubt);
  struct spooling;
  void sort_out(commit_group group, const failure& why, bool in_doubt,
                spooling& to);
  void sort_submit(store::submit_op op, answer<submit_reply> reply,
                   bool in_doubt, spooling& to);
  std::int64_t spool_all(const std::vector<store::operation>& ops, bool always);
  bool replay();
  [[nodiscard]] bool keeps() const;
  void keep(std::int64_t through, const std::string& life);
  bool give_again();
  bool write_again(std::vector<store::operation> ops);
  bool let_go();
  void note_purge(const std::string& id);
  job_ref land_spooled(const store::submit_op& op, store::applied& done,
                       event_batch& events);
  void show_spool(bool failed);

  self_ptr self_;
  queue_options options_;
  hub_actor hub_;
  callback_actor callbacks_;
  std::unique_ptr<store::job_store> store_;
  store::ulid_minter ids_;
  std::mt19937_64 random_{std::random_device{}()};
  std::uint64_t adopt_nonce_ = 0;
  /// Meanwhile, leases of this node may turn up that nobody knows here: a
  /// claim's answer was lost, or the queue that had made it.
  clock::time_point doubt_from_, doubt_until_;

  commit_group group_;
  bool flush_armed_ = false;
  bool draining_ = false;

  bool away_ = false;
  bool full_ = false; ///< something was not stored for want of room
  clock::time_point complained_;
  commit_group backlog_;
  spooled_jobs spooled_;
  /// Whether the store has synced what the spool keeps up to `watched_`, if
  /// that is not 0.
  store::sync_watch watch_;
  std::int64_t watched_ = 0;
  std::unordered_set<std::string> purged_; ///< while the spool keeps anything
  clock::duration backoff_{};

  lease_table leases_;
  std::map<std::string, pool> pools_;

  bool follow_armed_ = false;
  bool callbacks_told_ = false;                  ///< until they have asked
  std::unordered_set<std::string> told_batches_; ///< whose end was told
  std::set<std::string> touched_; ///< queues, since the newest statistics
  std::map<std::string, rate_meter> ended_; ///< attempts, by queue
  overload_guard overload_;

  std::uint64_t newest_tick_[queue_tick::count] = {};
  clock::time_point sweep_due_;
  clock::time_point token_due_; ///< of the newest `token`; past: none
  /// Store's time minus ours, both in milliseconds, at the last sweep.
  std::optional<std::int64_t> store_offset_;
};

template <class Reply>
bool queue_state::no_store(const answer<Reply>& reply) const {
  if (store_ && !away_)
    return false;
  reply(fail(store::errc::unavailable));
  return true;
}

/// Whether the store did what it was asked. What its failure tells of the store
/// itself is heeded: whoever asked need only be answered.
template <class T>
bool queue_state::heard(const result<T>& answer) {
  if (answer)
    return true;
  heed(answer.error());
  return false;
}

/// The queue. Spawn it `caf::detached`: the store blocks.
queue_impl::behavior_type queue(queue_state::self_ptr self,
                                queue_options options);

} // namespace troupe::actors
