#include "actors/manager.hpp"
#include "actors/root.hpp"
#include "actors/stage.hpp"
#include "tests/actor_fixture.hpp"
#include "tests/actors/fakes.hpp"

#include <caf/send.hpp>

#include <optional>

/// A pool manager, its stage and its job actors between a scripted queue and
/// scripted attempts.
namespace troupe::actors {
namespace {

using namespace std::chrono_literals;
using namespace testing;

class PoolTest : public troupe::testing::ActorTest {
protected:
  PoolTest() {
    hub_ = keep(sys.spawn(fake_hub, hub));
    queue_ = keep(sys.spawn(fake_queue, queue));
    stage_ = keep(sys.spawn(stage, scripted_bench(bench)));
    aut = keep(sys.spawn(manager, manager_options{"bulk", 2, 20s}));
    rewire();
  }

  ~PoolTest() override {
    for (const auto& it : everybody)
      caf::anon_send_exit(it, caf::exit_reason::kill);
    run();
  }

  template <class Handle>
  Handle keep(Handle it) {
    everybody.push_back(caf::actor_cast<caf::actor>(it));
    return it;
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
  std::vector<caf::actor> everybody;
  hub_actor hub_;
  queue_actor queue_;
  stage_actor stage_;
  manager_impl aut;
};

TEST_F(PoolTest, EndsAnActorThatLeftNothingWithItsReport) {
  bench->on_start = [](bench_script::running& it) {
    it.sink->on_done(media::finished{"{}", {}});
  };
  queue->mute = true;

  lease(job("a"));

  EXPECT_EQ(bench->destroyed, 1u);
  EXPECT_EQ(queue->of<store::succeed_op>().size(), 1u);
}

TEST_F(PoolTest, SettlesAJobOnceHoweverOftenItReports) {
  lease(job("a"));
  EXPECT_EQ(queue->room, 1u);

  bench->attempts.at("a").sink->on_done(media::finished{"{}", {}});
  bench->attempts.at("a").sink->on_done(media::finished{"{}", {}});
  run();

  EXPECT_EQ(queue->ops.size(), 1u);
  EXPECT_EQ(queue->of<store::succeed_op>().size(), 1u);
  EXPECT_EQ(queue->room, 2u);
  EXPECT_EQ(bench->destroyed, 1u);
  EXPECT_TRUE(bench->discarded.empty());
}

TEST_F(PoolTest, HearsAReportBeforeItHearsOfTheActor) {
  bench->on_start = [](auto& it) {
    it.sink->on_done(media::finished{"{}", {}});
  };
  for (int i = 0; i < 50; ++i)
    lease(job(std::to_string(i)));

  EXPECT_EQ(queue->of<store::succeed_op>().size(), 50u);
  EXPECT_EQ(bench->destroyed, 50u);
  EXPECT_EQ(queue->room, 2u);
}

TEST_F(PoolTest, ReleasesTheJobOfAnActorThatDies) {
  bench->crash = true;

  lease(job("a"));

  const auto released = queue->of<store::release_op>();
  ASSERT_EQ(released.size(), 1u);
  EXPECT_EQ(released[0].reason, store::release_reason::node_lost);
  EXPECT_EQ(queue->room, 2u);
}

TEST_F(PoolTest, PostponesWhatWasNotTried) {
  lease(job("a"));

  bench->attempts.at("a").sink->on_done(
    media::failure_report{media::errc::rate_limited, "paused", 60, true});
  run();

  const auto released = queue->of<store::release_op>();
  ASSERT_EQ(released.size(), 1u);
  EXPECT_EQ(released[0].reason, store::release_reason::postponed);
  EXPECT_EQ(released[0].delay_ms, 60000);
}

TEST_F(PoolTest, TellsWhyAnAttemptFailed) {
  lease(job("a"));

  bench->attempts.at("a").sink->on_done(
    media::failure_report{media::errc::rate_limited, "slow down", 60});
  run();

  const auto failed = queue->of<store::fail_op>();
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].code, "rate_limited");
  EXPECT_TRUE(failed[0].retryable);
  EXPECT_EQ(failed[0].retry_after_ms, 60000);
  EXPECT_EQ(bench->discarded, std::vector<std::string>{"a.1"})
    << "another attempt may go on from the rest";
}

TEST_F(PoolTest, CommitsThenPublishesThenSucceeds) {
  lease(job("a"));
  bench->hold_files = true;

  finish("a", one_file());
  EXPECT_EQ(queue->of<store::commit_op>().size(), 1u);
  EXPECT_EQ(queue->of<store::succeed_op>().size(), 0u);
  ASSERT_EQ(bench->held.size(), 1u);
  bench->hold_files = false;
  bench->held.front()();
  run();

  EXPECT_EQ(queue->of<store::succeed_op>().size(), 1u);
  EXPECT_EQ(bench->published.size(), 1u);
  EXPECT_EQ(bench->discarded, std::vector<std::string>{"a"});
}

TEST_F(PoolTest, ReservesAFreeNameBeforeAFileTakesIt) {
  auto renamed = one_file();
  renamed[0].final_path = "/l/x (2)";
  bench->publishes.push_back(media::publish_outcome{"{2}", renamed});
  lease(job("a"));

  finish("a", one_file());

  const auto commits = queue->of<store::commit_op>();
  ASSERT_EQ(commits.size(), 2u);
  EXPECT_EQ(commits[1].manifest, renamed);
  EXPECT_EQ(commits[1].result, "{2}");
  ASSERT_EQ(bench->published.size(), 2u);
  EXPECT_EQ(bench->published[1], renamed);
  EXPECT_EQ(queue->of<store::succeed_op>().size(), 1u);
}

TEST_F(PoolTest, RemovesTheFilesOfARefusedAttempt) {
  judge_commits(store::errc::stale_fence);
  lease(job("a"));

  finish("a", one_file());

  EXPECT_TRUE(bench->published.empty());
  EXPECT_EQ(bench->discarded, std::vector<std::string>{"a.1"});
  EXPECT_EQ(bench->destroyed, 1u);
  EXPECT_EQ(queue->room, 2u);
}

TEST_F(PoolTest, LeavesWhatAnotherServerIsToPublish) {
  judge_commits(store::errc::stale_fence, true);
  lease(job("a"));

  finish("a", one_file());

  EXPECT_TRUE(bench->discarded.empty());
  EXPECT_EQ(bench->destroyed, 1u);
}

TEST_F(PoolTest, EndsAJobThatWasCancelledBeforeItsCommit) {
  judge_commits(store::errc::invalid_state);
  lease(job("a"));

  finish("a", one_file());

  const auto failed = queue->of<store::fail_op>();
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].code, "cancelled");
  EXPECT_TRUE(bench->published.empty());
  EXPECT_EQ(bench->discarded, std::vector<std::string>{"a"})
    << "the job has ended";
}

TEST_F(PoolTest, PublishesAgainAfterAFailure) {
  bench->publishes.push_back(fail(media::errc::disk_full));
  lease(job("a"));

  finish("a", one_file());
  EXPECT_EQ(queue->of<store::succeed_op>().size(), 0u);
  EXPECT_TRUE(bench->discarded.empty());
  advance(2s);

  EXPECT_EQ(bench->published.size(), 2u);
  EXPECT_EQ(queue->of<store::succeed_op>().size(), 1u);
}

TEST_F(PoolTest, OnlyPublishesWhatIsRolledForward) {
  auto it = job("a");
  it.publishing = true;
  it.manifest = one_file();
  it.result = "{}";

  lease(it, true);

  EXPECT_EQ(bench->made, 0u);
  EXPECT_EQ(bench->published.size(), 1u);
  EXPECT_EQ(queue->of<store::succeed_op>().size(), 1u);
  EXPECT_EQ(bench->discarded, std::vector<std::string>{"a"});
}

TEST_F(PoolTest, HandsBackThePublicationOfADeadActor) {
  lease(job("a"));
  bench->hold_files = true;
  finish("a", one_file());

  caf::anon_send_exit(stage_, caf::exit_reason::kill);
  run();

  EXPECT_EQ(queue->of<store::release_op>().size(), 1u);
  EXPECT_EQ(queue->of<store::fail_op>().size(), 0u);
  EXPECT_TRUE(bench->discarded.empty());
}

TEST_F(PoolTest, EndsAnAttemptThatRunsTooLong) {
  auto it = job("a");
  it.timeout_s = 2;
  lease(it);

  advance(1s);
  EXPECT_TRUE(bench->attempts.at("a").cancels.empty());
  for (int i = 0; i < 8; ++i)
    advance(250ms);

  const auto failed = queue->of<store::fail_op>();
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].code, "timeout");
  EXPECT_TRUE(failed[0].retryable);
}

TEST_F(PoolTest, EndsAnAttemptThatDoesNotHearItsCancellation) {
  bench->on_cancel = [](auto&, media::errc) {
  };
  lease(job("a"));

  caf::anon_send(aut, revoke_lease{"a", {1, 99}, media::errc::cancelled});
  run();
  EXPECT_EQ(bench->attempts.at("a").cancels.size(), 1u);
  EXPECT_TRUE(queue->ops.empty());
  advance(6s);

  const auto failed = queue->of<store::fail_op>();
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].code, "cancelled");
  EXPECT_EQ(bench->destroyed, 1u);
}

TEST_F(PoolTest, ForgetsALeaseThatIsLost) {
  lease(job("a"));

  caf::anon_send(aut, revoke_lease{"a", {1, 99}, media::errc::interrupted});
  run();

  EXPECT_TRUE(queue->ops.empty());
  EXPECT_EQ(bench->destroyed, 1u);
  EXPECT_EQ(bench->discarded, std::vector<std::string>{"a.1"});
  EXPECT_EQ(queue->room, 2u);
}

TEST_F(PoolTest, HasNoEarForALeaseOfAnotherFence) {
  lease(job("a"));

  caf::anon_send(aut, revoke_lease{"a", {1, 98}, media::errc::cancelled});
  run();

  EXPECT_TRUE(bench->attempts.at("a").cancels.empty());
}

TEST_F(PoolTest, PassesOnTheNewestProgressOnly) {
  lease(job("a"));
  advance(1s);
  auto& sink = *bench->attempts.at("a").sink;
  media::progress now;
  now.stage = "download";
  for (now.done = 1; now.done <= 1000; ++now.done) {
    sink.on_progress(now);
    if (now.done % 100 == 0)
      run();
  }
  advance(1s);

  ASSERT_GE(hub->progress.size(), 2u);
  EXPECT_LE(hub->progress.size(), 3u);
  EXPECT_EQ(hub->progress.back().now.done, 1000);
  EXPECT_EQ(queue->progress.size(), hub->progress.size());
}

TEST_F(PoolTest, StoresCheckpoints) {
  lease(job("a"));

  bench->attempts.at("a").sink->on_checkpoint("{\"part\":1}");
  run();

  const auto stored = queue->of<store::checkpoint_op>();
  ASSERT_EQ(stored.size(), 1u);
  EXPECT_EQ(stored[0].checkpoint, "{\"part\":1}");
}

TEST_F(PoolTest, LosesWhatItsStageHostedAndGoesOnWithTheNext) {
  lease(job("a"));

  caf::anon_send_exit(stage_, caf::exit_reason::kill);
  run();
  const auto released = queue->of<store::release_op>();
  ASSERT_EQ(released.size(), 1u);
  EXPECT_EQ(released[0].reason, store::release_reason::node_lost);
  EXPECT_EQ(bench->destroyed, 1u);

  lease(job("b"));
  EXPECT_EQ(bench->made, 1u);
  stage_ = keep(sys.spawn(stage, scripted_bench(bench)));
  rewire();
  EXPECT_EQ(bench->made, 2u);
  finish("b", {});
  EXPECT_EQ(queue->of<store::succeed_op>().size(), 1u);
}

TEST_F(PoolTest, TakesItsAttemptsAlongWhenItDies) {
  lease(job("a"));

  caf::anon_send_exit(aut, caf::exit_reason::kill);
  run();

  EXPECT_EQ(bench->destroyed, 1u);
}

TEST_F(PoolTest, RepeatsToANewQueueWhatTheOldOneTookAlong) {
  lease(job("a"));
  lease(job("b"));
  queue->mute = true;
  finish("a", {});
  caf::anon_send_exit(queue_, caf::exit_reason::kill);
  run();

  queue->mute = false;
  queue->ops.clear();
  queue_ = keep(sys.spawn(fake_queue, queue));
  rewire();

  ASSERT_EQ(queue->announced.size(), 2u);
  EXPECT_EQ(queue->announced[1].held.size(), 2u);
  EXPECT_EQ(queue->announced[1].free.slots, 1u);
  EXPECT_EQ(queue->of<store::succeed_op>().size(), 1u);
  finish("b", {});
  EXPECT_EQ(queue->of<store::succeed_op>().size(), 2u);
  EXPECT_EQ(bench->destroyed, 2u);
}

TEST_F(PoolTest, LetsRunningJobsEndWhenItDrains) {
  lease(job("a"));

  const auto done = drain();
  EXPECT_FALSE(*done);
  EXPECT_TRUE(bench->attempts.at("a").cancels.empty());
  finish("a", {});

  EXPECT_TRUE(*done);
  EXPECT_EQ(queue->of<store::succeed_op>().size(), 1u);
}

TEST_F(PoolTest, GivesBackWhatDoesNotEndInTheGraceOfADrain) {
  queue->judge = [](const auto&) {
    return settle_verdict{};
  };
  lease(job("a"));

  const auto done = drain();
  advance(21s);

  EXPECT_TRUE(*done);
  const auto released = queue->of<store::release_op>();
  ASSERT_EQ(released.size(), 1u);
  EXPECT_EQ(released[0].reason, store::release_reason::drain);
  EXPECT_EQ(bench->discarded, std::vector<std::string>{"a.1"})
    << "what the next attempt goes on from stays";
}

TEST_F(PoolTest, AnswersADrainAlsoWhenNothingIsSettledAnyMore) {
  bench->on_cancel = [](auto&, media::errc) {
  };
  queue->mute = true;
  lease(job("a"));

  const auto done = drain();
  advance(20s);
  advance(8s);
  EXPECT_FALSE(*done);
  advance(5s);

  EXPECT_TRUE(*done);
}

TEST_F(PoolTest, GivesBackAtOnceWhatComesWhileItDrains) {
  lease(job("a"));
  drain();

  lease(job("b"));

  EXPECT_EQ(bench->made, 1u);
  const auto released = queue->of<store::release_op>();
  ASSERT_EQ(released.size(), 1u);
  EXPECT_EQ(released[0].id, "b");
}

// -- root ---------------------------------------------------------------------

class RootTest : public troupe::testing::ActorTest {
protected:
  RootTest() {
    root_options options;
    options.make_queue = [this](bool first) {
      firsts.push_back(first);
      queue_ = sys.spawn(fake_queue, queue);
      return queue_;
    };
    options.make_hub = [this] {
      ++hubs;
      hub_ = sys.spawn(fake_hub, std::make_shared<hub_script>());
      return hub_;
    };
    options.make_stage = [this]() -> stage_actor {
      return sys.spawn(stage, scripted_bench(bench));
    };
    options.make_extract = [this]() -> extract_actor {
      return sys.spawn(
        [](extract_actor::pointer) -> extract_actor::behavior_type {
          return {[](extract_request&) {
          }};
        });
    };
    options.make_managers.push_back([this]() -> manager_actor {
      manager_ = sys.spawn(manager, manager_options{"bulk", 2, 20s});
      return manager_;
    });
    options.on_change = [this](edge_contacts now) {
      contacts = std::move(now);
    };
    options.on_end = [this](int code) {
      status = code;
    };
    aut = sys.spawn(root, std::move(options));
    run();
  }

  ~RootTest() override {
    contacts = {};
    caf::anon_send_exit(aut, caf::exit_reason::user_shutdown);
    run();
  }

  template <class Handle>
  void kill(const Handle& it) {
    caf::anon_send_exit(it, caf::exit_reason::kill);
    run();
  }

  std::shared_ptr<queue_script> queue = std::make_shared<queue_script>();
  std::shared_ptr<bench_script> bench = std::make_shared<bench_script>();
  std::vector<bool> firsts;
  int hubs = 0;
  queue_actor queue_;
  hub_actor hub_;
  manager_actor manager_;
  edge_contacts contacts;
  std::optional<int> status;
  root_impl aut;
};

TEST_F(RootTest, ReplacesWhatDiesAndTellsEverybody) {
  const auto old = contacts.queue;

  kill(queue_);
  EXPECT_EQ(contacts.queue, nullptr);
  advance(1s);

  EXPECT_EQ(firsts, (std::vector<bool>{true, false}));
  EXPECT_NE(contacts.queue, nullptr);
  EXPECT_NE(contacts.queue, old);
  EXPECT_EQ(queue->announced.size(), 2u) << "its manager knows the new one";
}

TEST_F(RootTest, GivesUpOnWhatDiesTooOften) {
  for (int i = 0; i < 6 && !status; ++i) {
    kill(hub_);
    advance(5s);
  }

  EXPECT_EQ(hubs, 6);
  EXPECT_EQ(status, 1);
  EXPECT_EQ(contacts.queue, nullptr);
}

TEST_F(RootTest, ForgivesDeathsThatLieFarApart) {
  for (int i = 0; i < 10; ++i) {
    kill(hub_);
    advance(30s);
  }

  EXPECT_EQ(hubs, 11);
  EXPECT_EQ(status, std::nullopt);
}

TEST_F(RootTest, EndsEverythingAfterADrain) {
  caf::anon_send(aut, drain_request{});
  caf::anon_send(aut, drain_request{});
  run();

  EXPECT_EQ(status, 0);
  EXPECT_EQ(contacts.hub, nullptr);
  EXPECT_EQ(sys.registry().running(), 1u) << "the test's own actor";
}

TEST_F(RootTest, WaitsForWhatRunsWhenItDrains) {
  store::job job;
  job.id = "a";
  job.fence = {1, 2};
  caf::anon_send(manager_, lease_batch{{job}, false});
  run();

  caf::anon_send(aut, drain_request{});
  run();
  EXPECT_EQ(status, std::nullopt);
  bench->attempts.at("a").sink->on_done(media::finished{"{}", {}});
  run();

  EXPECT_EQ(status, 0);
  EXPECT_EQ(queue->of<store::succeed_op>().size(), 1u);
}

TEST_F(RootTest, TakesEverybodyAlongWhenItDiesOfADefect) {
  kill(aut);

  EXPECT_EQ(status, 1);
  EXPECT_EQ(sys.registry().running(), 1u) << "the test's own actor";
}

TEST_F(RootTest, EndsAtOnceWhenItIsTold) {
  caf::anon_send_exit(aut, caf::exit_reason::user_shutdown);
  run();

  EXPECT_EQ(status, 0);
}

} // namespace
} // namespace troupe::actors
