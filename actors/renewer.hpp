#pragma once

#include "actors/lease_board.hpp"
#include "actors/messages.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <random>

namespace troupe::actors {

struct renewer_options {
  std::int64_t lease_ms = 15000;
  /// Opens a connection of its own to the store; called again after failures.
  std::function<result<std::unique_ptr<store::job_store>>()> open;
  std::shared_ptr<lease_board> board;
  /// How often it looks at what other servers have done to its leases; 0:
  /// never, for a store that no other server can reach.
  std::chrono::milliseconds look_every{0};
};

/// The renewer's timer.
struct renewer_tick {};

} // namespace troupe::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::renewer_tick)

namespace troupe::actors {

using renewer_impl = renewer_actor::extend<caf::reacts_to<renewer_tick>>;

/// State of the RENEWER. Invariants:
/// - one tick is under way;
/// - after a failure of its store, nothing comes before a renewal.
class renewer_state {
public:
  using self_ptr = renewer_impl::stateful_pointer<renewer_state>;

  static inline const char* name = "troupe.renewer";

  explicit renewer_state(self_ptr self) : self_(self) {}

  void start(renewer_options options);
  void rewire(wiring& now_is);
  void tick();

private:
  using clock = std::chrono::steady_clock;

  result<void> look_after();
  result<void> ask_store(bool renewing, renewal_report& news);
  void fail_once(const failure& why);
  void report(renewal_report news);
  [[nodiscard]] clock::time_point now() const;

  self_ptr self_;
  renewer_options options_;
  queue_actor queue_;
  std::unique_ptr<store::job_store> store_;
  clock::time_point renew_at_;
  bool away_ = false;
  clock::duration pause_{};
  std::minstd_rand random_{std::random_device{}()};
};

/// Renews the leases of this server. Spawn it `caf::detached`, as the queue:
/// neither waits for the other's store.
renewer_impl::behavior_type renewer(renewer_state::self_ptr self,
                                    renewer_options options);

} // namespace troupe::actors
