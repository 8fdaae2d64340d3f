#pragma once

#include "actors/manager.hpp"
#include "actors/stage.hpp"
#include "tests/actor_fixture.hpp"
#include "tests/actors/fakes.hpp"

#include <caf/send.hpp>

#include <optional>

namespace troupe::actors::testing {

using namespace std::chrono_literals;

/// A pool manager, its stage and its job actors between a scripted queue and
/// scripted attempts.
class PoolTest : public troupe::testing::ActorTest {
protected:
  PoolTest() {
    hub_ = keep(sys.spawn(fake_hub, hub));
    queue_ = keep(sys.spawn(fake_queue, queue));
    stage_ = keep(sys.spawn(stage, scripted_bench(bench)));
    aut = keep(sys.spawn(manager, manager_options{"bulk", 2, 20s}));
    rewire();
  }

  void rewire() {
    caf::anon_send(aut, wiring{queue_, stage_, hub_});
    run();
  }

  static store::job job(const std::string& id) {
    store::job it;
    it.id = id;
    it.type = "noop";
    it.queue = "bulk";
    it.attempt = 1;
    it.state = store::job_state::running;
    it.fence = {1, 99};
    return it;
  }

  void lease(store::job it, bool roll_forward = false) {
    --queue->room;
    caf::anon_send(aut, lease_batch{{std::move(it)}, roll_forward});
    run();
  }

  void finish(const std::string& id, std::vector<media::staged_file> files) {
    bench->attempts.at(id).sink->on_done(
      media::finished{"{}", std::move(files)});
    run();
  }

  static std::vector<media::staged_file> one_file() {
    return {{"/l/.troupe/a.1/x", "/l/x", 3, "00", false}};
  }

  static store::job committed(const std::string& id) {
    auto it = job(id);
    it.publishing = true;
    it.manifest = one_file();
    it.result = "{}";
    return it;
  }

  void fail_to_publish(int times, media::errc why) {
    for (int i = 0; i < times; ++i)
      bench->publishes.push_back(fail(why));
  }

  /// Gives the answers that a mute queue has kept.
  void answer_settlements() {
    caf::anon_send(queue_, wiring{});
    run();
  }

  /// True once the drain is answered.
  std::shared_ptr<bool> drain() {
    auto done = std::make_shared<bool>(false);
    auto asker = [done](caf::event_based_actor* me, manager_actor to) {
      me->request(to, caf::infinite, drain_request{}).then([done](drained) {
        *done = true;
      });
    };
    keep(sys.spawn(asker, manager_actor{aut}));
    run();
    return done;
  }

  void judge_commits(store::errc error, bool publishing = false) {
    queue->judge = [error, publishing](const store::operation& op) {
      if (std::holds_alternative<store::commit_op>(op))
        return settle_verdict{error, false, publishing};
      return settle_verdict{store::errc::none, true, false};
    };
  }

  std::shared_ptr<hub_script> hub = std::make_shared<hub_script>();
  std::shared_ptr<queue_script> queue = std::make_shared<queue_script>();
  std::shared_ptr<bench_script> bench = std::make_shared<bench_script>();
  hub_actor hub_;
  queue_actor queue_;
  stage_actor stage_;
  manager_impl aut;
};

} // namespace troupe::actors::testing
