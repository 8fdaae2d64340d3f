#pragma once

#include "actors/messages.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>

#include <gtest/gtest.h>

namespace troupe::testing {

/// Runs actors one message at a time on a virtual clock: no threads, no sleeps.
class ActorTest : public ::testing::Test {
protected:
  using scheduler = caf::scheduler::test_coordinator;

  struct actor_config : caf::actor_system_config {
    actor_config() {
      add_message_types<caf::id_block::troupe>();
      set("scheduler.policy", caf::atom("testing"));
    }
  };

  ~ActorTest() override {
    run();
  }

  void run() {
    sched.run();
  }

  /// Delayed messages are due now if they are due within `by`.
  void advance(caf::timespan by) {
    sched.advance_time(by);
    run();
  }

  actor_config cfg;
  caf::actor_system sys{cfg};
  scheduler& sched = dynamic_cast<scheduler&>(sys.scheduler());
  caf::scoped_actor self{sys};
};

} // namespace troupe::testing
