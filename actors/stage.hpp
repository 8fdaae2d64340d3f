#pragma once

#include "actors/job_run.hpp"
#include "actors/messages.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <memory>
#include <unordered_map>
#include <unordered_set>

namespace troupe::actors {

/// The stage's timer: look for attempts that have run out of time.
struct stage_tick {};

} // namespace troupe::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::stage_tick)

namespace troupe::actors {

using stage_impl = stage_actor::extend<caf::reacts_to<stage_tick>>;

/// State of the STAGE. Invariants:
/// - `hosted_` holds exactly the job actors that live here; they die with it,
///   and with their manager;
/// - while it hosts any, one tick is under way. (A timer per attempt would
///   hold each for its whole `timeout_s`: timers cannot be taken back.)
class stage_state {
public:
  using self_ptr = stage_impl::stateful_pointer<stage_state>;

  static inline const char* name = "troupe.stage";

  explicit stage_state(self_ptr self) : self_(self) {}
  ~stage_state();

  void start(std::shared_ptr<const job_bench> bench);
  void place(place_order& order);
  void discard(discard_files& order);
  void tick();

private:
  struct guest {
    job_actor actor;
    caf::actor_addr manager;
    std::chrono::steady_clock::time_point deadline;
    bool told = false; ///< that its time is over
  };

  void host(const job_ref& job, const place_order& order, spawned& news);
  void on_down(const caf::actor_addr& dead);
  void arm();

  self_ptr self_;
  std::shared_ptr<const job_bench> bench_;
  std::unordered_map<caf::actor_addr, guest> hosted_;
  std::unordered_set<caf::actor_addr> managers_;
  bool armed_ = false;
};

/// Hosts the job actors of one node.
stage_impl::behavior_type stage(stage_state::self_ptr self,
                                std::shared_ptr<const job_bench> bench);

} // namespace troupe::actors
