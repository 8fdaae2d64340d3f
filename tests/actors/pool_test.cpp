#include "tests/actors/pool_fixture.hpp"

/// How a lease gets its one outcome.
namespace troupe::actors {
namespace {

using namespace testing;

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

  const auto released = queue->of<store::release_op>();
  ASSERT_EQ(released.size(), 1u);
  EXPECT_EQ(released[0].reason, store::release_reason::drain);
  EXPECT_TRUE(queue->of<store::fail_op>().empty());
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

TEST_F(PoolTest, UsesNoSlotWhileItPublishes) {
  bench->hold_files = true;
  lease(job("a"));
  EXPECT_EQ(queue->room, 1u);

  finish("a", one_file());

  EXPECT_EQ(queue->of<store::succeed_op>().size(), 0u);
  EXPECT_EQ(queue->room, 2u);
}

TEST_F(PoolTest, LeavesToOthersWhatItCannotPublish) {
  fail_to_publish(4, media::errc::io_error);
  queue->judge = [](const store::operation& op) {
    const bool ends = std::holds_alternative<store::succeed_op>(op);
    return settle_verdict{store::errc::none, ends, !ends};
  };
  lease(job("a"));

  finish("a", one_file());
  advance(2s);
  EXPECT_EQ(queue->of<store::release_op>().size(), 0u);
  advance(2s);

  EXPECT_EQ(bench->published.size(), 3u);
  auto released = queue->of<store::release_op>();
  ASSERT_EQ(released.size(), 1u);
  EXPECT_EQ(released[0].delay_ms, 0) << "another server is to take it at once";
  EXPECT_TRUE(bench->discarded.empty());

  lease(committed("a"), true);
  released = queue->of<store::release_op>();
  ASSERT_EQ(released.size(), 2u) << "once more, since nobody else wants it";
  EXPECT_GE(released[1].delay_ms, 5000);

  lease(committed("a"), true);
  EXPECT_EQ(queue->of<store::succeed_op>().size(), 1u);
  EXPECT_EQ(queue->of<store::fail_op>().size(), 0u);
}

TEST_F(PoolTest, FailsAJobWhoseCommittedResultIsLost) {
  fail_to_publish(3, media::errc::result_lost);
  lease(job("a"));

  finish("a", one_file());
  advance(2s);
  EXPECT_EQ(queue->of<store::fail_op>().size(), 0u);
  advance(2s);

  const auto failed = queue->of<store::fail_op>();
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].code, "result_lost");
  EXPECT_TRUE(failed[0].result_lost);
  EXPECT_FALSE(failed[0].retryable);
  EXPECT_EQ(queue->of<store::release_op>().size(), 0u);
}

TEST_F(PoolTest, OnlyPublishesWhatIsRolledForward) {
  lease(committed("a"), true);

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

} // namespace
} // namespace troupe::actors
