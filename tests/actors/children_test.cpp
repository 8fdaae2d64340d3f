#include "tests/actors/pool_fixture.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>

/// Jobs that make jobs, and how what they say travels.
namespace troupe::actors {
namespace {

using namespace testing;

class ChildrenTest : public PoolTest {
protected:
  void spawn(const std::string& item) {
    bench->attempts.at("a").sink->on_checkpoint(
      "{\"at\":1}", {{item, "noop", "{\"steps\":2}", {"tag"}, "key"}});
    run();
  }

  void judge_spawns(store::errc error) {
    queue->judge = [error](const store::operation& op) {
      const bool spawns = std::holds_alternative<store::spawn_op>(op);
      return settle_verdict{spawns ? error : store::errc::none, !spawns, false};
    };
  }
};

TEST_F(ChildrenTest, AreStoredWithTheCheckpointOfTheirParent) {
  auto parent = job("a");
  parent.owner = "me";
  parent.priority = 7;
  lease(parent);

  spawn("x");

  const auto spawned = queue->of<store::spawn_op>();
  ASSERT_EQ(spawned.size(), 1u);
  EXPECT_EQ(spawned[0].checkpoint, "{\"at\":1}");
  EXPECT_EQ(spawned[0].fence, (store::fence{1, 99}));
  ASSERT_EQ(spawned[0].children.size(), 1u);
  const auto& child = spawned[0].children[0];
  EXPECT_EQ(child.id, store::child_id("a", "x"));
  EXPECT_EQ(child.type, "noop");
  EXPECT_EQ(child.queue, "bulk");
  EXPECT_EQ(child.params, "{\"steps\":2}");
  EXPECT_EQ(child.unique_key, "key");
  EXPECT_EQ(child.owner, "me");
  EXPECT_EQ(child.priority, 7);
  EXPECT_TRUE(queue->of<store::checkpoint_op>().empty());
}

TEST_F(ChildrenTest, AreStoredBeforeTheirParentSucceeds) {
  queue->mute = true;
  lease(job("a"));
  spawn("x");
  finish("a", {});
  EXPECT_EQ(queue->ops.size(), 1u);
  EXPECT_EQ(queue->room, 1u);

  queue->mute = false;
  answer_settlements();

  EXPECT_EQ(queue->of<store::succeed_op>().size(), 1u);
  EXPECT_EQ(queue->room, 2u);
}

TEST_F(ChildrenTest, ThatFindNoRoomAreMadeByAnotherAttempt) {
  judge_spawns(store::errc::queue_full);
  lease(job("a"));

  spawn("x");

  const auto failed = queue->of<store::fail_op>();
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].code, "queue_full");
  EXPECT_TRUE(failed[0].retryable);
  EXPECT_TRUE(queue->of<store::succeed_op>().empty());
}

TEST_F(ChildrenTest, KeepTheOrderOfTheirParentsCheckpoints) {
  queue->mute = true;
  lease(job("a"));
  auto& sink = *bench->attempts.at("a").sink;
  sink.on_checkpoint("{}");
  run();
  sink.on_checkpoint("{\"at\":0}");
  run();
  spawn("x");
  sink.on_checkpoint("{\"at\":2}");
  run();

  queue->mute = false;
  answer_settlements();

  ASSERT_EQ(queue->ops.size(), 4u);
  EXPECT_EQ(std::get<store::checkpoint_op>(queue->ops[1]).checkpoint,
            "{\"at\":0}");
  EXPECT_TRUE(std::holds_alternative<store::spawn_op>(queue->ops[2]));
  EXPECT_EQ(std::get<store::checkpoint_op>(queue->ops[3]).checkpoint,
            "{\"at\":2}");
}

// -- between processes --------------------------------------------------------

class TravelTest : public troupe::testing::ActorTest {
protected:
  template <class T>
  T sent(T it) {
    std::vector<char> bytes;
    caf::binary_serializer out{sys, bytes};
    EXPECT_FALSE(out(it));
    T arrived;
    caf::binary_deserializer in{sys, bytes};
    EXPECT_FALSE(in(arrived));
    return arrived;
  }
};

store::job full_job() {
  store::job it;
  it.id = "i", it.type = "t", it.queue = "q", it.priority = 1;
  it.params = "p", it.tags = {"a", "b"}, it.owner = "o", it.batch = "b";
  it.parent = "pa", it.run_at = 2, it.delay_ms = 3, it.timeout_s = 4;
  it.max_attempts = 5, it.backoff = {6, 7, 8, 0.9}, it.unique_key = "u";
  it.concurrency_key = "c", it.callback_url = "cb", it.request_id = "r";
  it.traceparent = "tp", it.depends_on = {"x"};
  it.on_parent_failure = store::parent_policy::run;
  it.state = store::job_state::running, it.attempt = 10, it.revision = 11;
  it.progress = {0.5, "s", 12, 13, "bytes", 14, 15, "m"};
  it.result = "res", it.checkpoint = "ch", it.errors = {{"e", "m", true, 1}};
  it.node = "n", it.created_at = 16, it.started_at = 17, it.finished_at = 18;
  it.reached = store::durability::disk, it.fence = {19, 20};
  it.lease_until = 21, it.losses = 22, it.publishing = true;
  it.manifest = {{"st", "fi", 23, "aa", true, "lib"}}, it.pending = 24;
  it.crashes = 25, it.pausing = true, it.followed = true;
  return it;
}

TEST_F(TravelTest, LosesNothingOnTheWay) {
  const auto job = full_job();
  EXPECT_EQ(sent(job), job);
  const store::job_draft draft = job;
  EXPECT_EQ(sent(draft), draft);
  const media::failure_report failed{media::errc::timeout, "m", 1.5, true};
  EXPECT_EQ(sent(failed), failed);

  const auto report =
    sent(checkpoint_report{"i", {1, 2}, job.progress, "c", {draft}});

  EXPECT_EQ(report.children.at(0), draft);
  EXPECT_EQ(report.now, job.progress);
}

} // namespace
} // namespace troupe::actors
