#pragma once

#include "actors/cost_book.hpp"
#include "actors/messages.hpp"
#include "actors/node_budget.hpp"
#include "actors/pool_scale.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe::config {
class metrics;
}

namespace troupe::actors {

struct manager_options {
  std::string queue;
  std::uint32_t slots = 1;                ///< at most
  std::chrono::milliseconds drain{20000}; ///< what running jobs get
  /// Slots beside those, for what somebody waits for.
  std::uint32_t urgent = 0;
  /// How it scales; its ceiling is `slots`. None: it always has all of them.
  std::optional<scale_limits> scale = {};
  /// What jobs of this machine may take together; none: whatever they want.
  std::shared_ptr<node_budget> budget = {};
  /// Of a type, before any has run; none: nothing.
  cost_book::declared_cost declared = {};
  /// Hears that a lease is alive whose attempt has not begun. May be empty.
  std::function<void(const std::string& id, const store::fence& fence)>
    on_beat = {};
  config::metrics* metrics = nullptr; ///< optional
};

/// What a manager tells itself: outcomes wait to be settled.
struct manager_flush {};

/// Its timer: publish once more.
struct publish_again {
  std::string id;
  store::fence fence;
};

/// What waits for the budget may fit: something was given back, or its timer.
struct admit_again {
  bool timer = false;
};

/// Its timers while it drains, in order.
struct drain_step {
  enum step_type : std::uint8_t { interrupt, release, give_up };
  step_type step = interrupt;
};

} // namespace troupe::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::manager_flush)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::publish_again)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::admit_again)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::drain_step)

namespace troupe::actors {

using manager_impl = manager_actor::extend<
  caf::reacts_to<manager_flush>, caf::reacts_to<publish_again>,
  caf::reacts_to<admit_again>, caf::reacts_to<drain_step>>;

/// State of the POOL MANAGER. Invariants:
/// - each lease has at most one outcome among the operations that wait
///   (`ops_`) and are under way (`sent_ops_`), and none while it is `working`;
/// - `busy_` counts the leases that use a slot, which a committed one does
///   not; `outstanding_` the room announced that no lease has used up. Together
///   they exceed `allowed_` only after it fell, until that room is taken back
///   and those leases have ended;
/// - a lease in `line_` is busy and working, has no actor and nothing of the
///   budget; while any is there, no room is announced but for what somebody
///   waits for, which stands in no line;
/// - `kept_for_` is first in line, and the budget keeps what it needs;
/// - a lease leaves `leases_` when its outcome is stored, or it is lost.
class manager_state {
public:
  using self_ptr = manager_impl::stateful_pointer<manager_state>;
  using drain_promise = caf::typed_response_promise<drained>;

  static inline const char* name = "troupe.manager";

  explicit manager_state(self_ptr self) : self_(self) {}

  void start(manager_options options);

  void take(lease_batch& batch);
  void revoke(const revoke_lease& order);
  void meet(spawned& news);
  void hear(attempt_report& report);
  void hear(checkpoint_report& report);
  void hear(progress_report& report);
  void hear(publish_report& report);
  void hear(log_report& report);
  void discard(discard_files& order);
  void hear(const node_sample& now_is);
  void rewire(wiring& now_is);
  drain_promise drain();

  void flush();
  void publish_once_more(const publish_again& what);
  void admit(admit_again why);
  void step(drain_step now_is);

private:
  enum class phase : std::uint8_t {
    working,    ///< its report is awaited
    committing, ///< its manifest is to be stored
    publishing, ///< committed: its files get their names
    settling,   ///< its outcome is to be stored
  };

  struct entry {
    store::fence fence;
    std::string type;
    enum phase phase = phase::working;
    bool busy = false;    ///< uses a slot
    bool urgent = false;  ///< … of those that are kept for such jobs
    bool placed = false;  ///< a stage has been told
    bool refused = false; ///< its commit came after a cancellation
    bool stalled = false; ///< ended since it gave no sign of life
    std::optional<media::job_cost> cost; ///< what it has of the budget
    job_actor actor;                     ///< null until known, and when dead
    std::optional<media::errc> stop;
    media::finished done;       ///< what is committed or published
    std::uint32_t spawning = 0; ///< spawns that are not stored yet
    bool unspawned = false;     ///< one was refused
    /// Its success, which waits for them.
    std::optional<std::pair<attempt_report, job_actor>> late;
    std::uint32_t tries = 0; ///< publications that failed
  };
  /// A result that could not be published here.
  struct unpublished {
    bool yielded = false; ///< others were let try since we did
    std::chrono::milliseconds pause{};
  };
  using entry_map = std::unordered_map<std::string, entry>;

  /// A lease that waits for the budget.
  struct in_line {
    job_ref job;
    std::chrono::steady_clock::time_point since;
  };

  /// Which operation a verdict is about.
  enum class op_kind : std::uint8_t { checkpoint, commit, finish, spawn };
  struct asked {
    std::string id;
    store::fence fence;
    op_kind kind = op_kind::finish;
  };

  entry* find(const std::string& id, const store::fence& fence);
  job_actor sender();
  void know_actor(const std::string& id, entry& it, job_actor actor);
  void place(std::vector<job_ref> jobs, bool publish_only);
  void stop(const std::string& id, entry& it, media::errc why);
  void end_attempt(entry& it, attempt_report& report, job_actor from);

  void fail_lease(const std::string& id, entry& it,
                  const media::failure_report& why);
  void release(const std::string& id, entry& it, store::release_reason why);
  void commit(const std::string& id, entry& it);
  void settle(const std::string& id, entry& it, store::operation op);
  void push(store::operation op, asked about);
  void push_news(store::operation op, asked about);
  void take_front();
  void free_slot(entry& it);
  void arm_flush();

  // manager_pool.cpp
  void start_pool();
  void admit();
  [[nodiscard]] std::uint32_t spare() const;
  [[nodiscard]] std::uint32_t urgent_spare() const;
  [[nodiscard]] bool has_spare() const;
  [[nodiscard]] room announce_spare();
  void apply(const scale_decision& decision);
  void take_back();
  void report();
  void line_up(std::vector<job_ref> jobs);
  bool has_budget(const job_ref& job, entry& it);
  void wait_in_line();
  void postpone(const std::string& id, entry& it);
  [[nodiscard]] bool keep_for_first();
  void keep_no_more();
  void give_up_line();
  [[nodiscard]] bool is_in_line(const entry& it) const;
  void learn(const std::string& type, const media::attempt_usage& used);

  // manager_children.cpp
  void spawn_children(entry& it, checkpoint_report& report);
  void judge_spawn(const std::string& id, entry& it,
                   const settle_verdict& verdict);
  void fail_unspawned(const std::string& id, entry& it);

  // manager_publish.cpp
  void publish_later(const std::string& id, entry& it,
                     const media::failure_report& why);
  void lose_result(const std::string& id, entry& it,
                   const media::failure_report& why);
  void leave_to_others(const std::string& id, entry& it);

  void judge_all(const settle_reply& reply);
  void judge(const asked& about, const settle_verdict& verdict);
  void judge_commit(const std::string& id, entry& it,
                    const settle_verdict& verdict);
  void judge_finish(const std::string& id, entry& it,
                    const settle_verdict& verdict);
  void cancel_lease(const std::string& id, entry& it);
  void finish(const std::string& id, entry& it, settled word);

  static bool is_unfinished(const entry& it);
  void on_down(const caf::actor_addr& dead);
  void on_stage_down();
  void on_exit(const caf::exit_msg& msg);
  void announce_all();
  void end_drain();

  self_ptr self_;
  manager_options options_;
  wiring who_;

  entry_map leases_;
  std::unordered_map<caf::actor_addr, std::string> by_actor_;
  std::vector<job_ref> unplaced_; ///< leased while there was no stage
  std::unordered_map<std::string, unpublished> unpublished_; ///< given back
  std::uint32_t busy_ = 0;
  std::uint32_t most_busy_ = 0; ///< since the newest look
  std::uint32_t outstanding_ = 0;
  std::uint32_t urgent_busy_ = 0;
  std::uint32_t urgent_outstanding_ = 0;
  std::uint32_t allowed_ = 0;
  bool taking_ = false; ///< the queue is asked for room
  std::optional<pool_scale> scale_;
  scale_decision decided_;
  std::unique_ptr<cost_book> costs_;
  std::string newest_type_; ///< of the newest lease
  std::deque<in_line> line_;
  std::unordered_map<std::string, unsigned> postponed_; ///< how often
  std::string kept_for_; ///< a job whose turn it is at last; empty: none
  bool admit_armed_ = false;
  std::uint64_t ended_ = 0, failed_ = 0; ///< attempts

  bool flush_armed_ = false;
  std::vector<store::operation> ops_, sent_ops_;
  std::vector<asked> asked_, sent_asked_;
  std::uint64_t sent_number_ = 0; ///< of the newest request
  std::size_t taken_ = 0;         ///< operations that have left `ops_`
  /// The newest checkpoint and lines of each job: by the operation's kind, its
  /// place in the row of all that ever waited.
  std::map<std::pair<std::string, std::size_t>, std::size_t> news_;

  bool draining_ = false;
  bool stepping_ = false; ///< a `drain_step` is on its way
  std::vector<drain_promise> drained_;
};

manager_impl::behavior_type manager(manager_state::self_ptr self,
                                    manager_options options);

} // namespace troupe::actors
