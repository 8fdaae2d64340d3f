#pragma once

#include "actors/messages.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <gtest/gtest.h>

#include <vector>

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

  /// Nobody that was kept lives on: what a test gave them goes with it.
  void TearDown() override {
    for (const auto& it : kept_)
      caf::anon_send_exit(it, caf::exit_reason::kill);
    kept_.clear();
    run();
  }

  /// Ends with the test.
  template <class Handle>
  Handle keep(Handle it) {
    kept_.push_back(caf::actor_cast<caf::actor>(it));
    return it;
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

private:
  std::vector<caf::actor> kept_;
};

} // namespace troupe::testing
