#include "tests/actors/pool_fixture.hpp"

/// Leases that end early, managers and queues that die, drains.
namespace troupe::actors {
namespace {

using namespace testing;

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

  const auto released = queue->of<store::release_op>();
  ASSERT_EQ(released.size(), 1u);
  EXPECT_EQ(released[0].reason, store::release_reason::drain);
  EXPECT_TRUE(queue->of<store::fail_op>().empty());
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

TEST_F(PoolTest, GathersNoMoreThanTheNewestWhileTheStoreIsAway) {
  queue->mute = true;
  lease(job("a"));
  auto& sink = *bench->attempts.at("a").sink;
  sink.on_checkpoint("{\"part\":0}");
  run();
  for (int i = 1; i <= 1000; ++i) {
    sink.on_checkpoint("{\"part\":" + std::to_string(i) + "}");
    sink.on_log(std::string(200, 'x') + std::to_string(i));
    advance(600ms);
  }
  finish("a", {});
  EXPECT_EQ(queue->ops.size(), 1u);

  queue->mute = false;
  answer_settlements();

  ASSERT_EQ(queue->ops.size(), 4u);
  EXPECT_EQ(queue->of<store::checkpoint_op>()[1].checkpoint, "{\"part\":1000}");
  const auto lines = queue->of<store::log_op>();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_LE(lines[0].text.size(), 64u << 10);
  EXPECT_TRUE(lines[0].text.ends_with("x1000\n"));
  EXPECT_EQ(queue->of<store::succeed_op>().size(), 1u);
}

TEST_F(PoolTest, AsksForNoMoreThanOneWriteTakes) {
  queue->mute = true;
  for (std::size_t i = 0; i < 2 * max_group; ++i) {
    const auto id = std::to_string(i);
    lease(job(id));
    finish(id, {});
  }

  queue->mute = false;
  answer_settlements();

  EXPECT_EQ(queue->largest, max_group);
  EXPECT_EQ(queue->of<store::succeed_op>().size(), 2 * max_group);
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

TEST_F(PoolTest, AnswersTheNextDrainAfterOneThatGaveUp) {
  bench->on_cancel = [](auto&, media::errc) {
  };
  queue->mute = true;
  lease(job("a"));
  drain();
  for (const auto limit : {20s, 8s, 5s})
    advance(limit);

  const auto done = drain();
  EXPECT_FALSE(*done);
  for (const auto limit : {20s, 8s, 5s})
    advance(limit);

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

} // namespace
} // namespace troupe::actors
