#include "tests/store/store_suite.hpp"

/// Every row of the transition table.
namespace troupe::store::testing {
namespace {

using TransitionSuite = StoreSuite;

INSTANTIATE_TEST_SUITE_P(Stores, TransitionSuite,
                         ::testing::ValuesIn(store_kinds()),
                         ::testing::PrintToStringParamName());

// -- submit and claim ---------------------------------------------------------

TEST_P(TransitionSuite, ASubmittedJobIsQueuedAsItWasAsked) {
  auto asked = draft();
  asked.tags = {"a", "b"};
  asked.owner = "ann";
  asked.callback_url = "https://example.com/hook";

  const auto answer = apply(submit_op{asked, {}});

  ASSERT_EQ(answer.error, errc::none);
  EXPECT_TRUE(answer.changed);
  EXPECT_FALSE(answer.replayed);
  EXPECT_EQ(answer.job.state, job_state::queued);
  EXPECT_EQ(answer.job.attempt, 0u);
  EXPECT_EQ(answer.job.revision, 1u);
  EXPECT_EQ(answer.job.reached, store().level());
  EXPECT_GT(answer.job.created_at, 0);
  EXPECT_EQ(answer.job.run_at, answer.job.created_at);
  auto kept = static_cast<const job_draft&>(answer.job);
  kept.run_at = asked.run_at;
  EXPECT_EQ(kept, asked);
  EXPECT_EQ(get(asked.id), answer.job);
}

TEST_P(TransitionSuite, AClaimLeasesTheJobToANode) {
  const auto before = submit();

  const auto leased = claim();

  ASSERT_EQ(leased.size(), 1u);
  const auto& it = leased[0];
  EXPECT_EQ(it.id, before.id);
  EXPECT_EQ(it.state, job_state::running);
  EXPECT_EQ(it.attempt, 1u);
  EXPECT_EQ(it.node, node);
  EXPECT_EQ(it.fence, (fence{1, 7}));
  EXPECT_EQ(it.revision, before.revision + 1);
  EXPECT_GT(it.started_at, 0);
  EXPECT_EQ(it.lease_until, it.started_at + lease_ms);
  EXPECT_EQ(get(it.id), it);
  EXPECT_TRUE(claim().empty());
}

TEST_P(TransitionSuite, OnlyQueuedJobsAreClaimed) {
  auto later = draft();
  later.delay_ms = 60 * second;
  submit(later);
  const auto cancelled = submit();
  cancel(cancelled.id);

  EXPECT_TRUE(claim(10).empty());
  EXPECT_EQ(get(later.id).state, job_state::scheduled);
}

TEST_P(TransitionSuite, AnUnknownJobIsNotFound) {
  const fence any{1, 1};

  EXPECT_EQ(get_error("nobody"), errc::not_found);
  EXPECT_EQ(cancel("nobody").error, errc::not_found);
  EXPECT_EQ(retry("nobody").error, errc::not_found);
  EXPECT_EQ(purge("nobody").error, errc::not_found);
  EXPECT_EQ(apply(succeed_op{"nobody", any, "{}"}).error, errc::not_found);
  EXPECT_EQ(apply(fail_op{"nobody", any, "", "", false, 0, ""}).error,
            errc::not_found);
  EXPECT_EQ(apply(checkpoint_op{"nobody", any, {}, ""}).error, errc::not_found);
  EXPECT_EQ(apply(commit_op{"nobody", any, "{}", {}}).error, errc::not_found);
  EXPECT_EQ(apply(release_op{"nobody", any}).error, errc::not_found);
}

// -- running ------------------------------------------------------------------

TEST_P(TransitionSuite, ARunningJobSucceeds) {
  const auto held = running();

  const auto answer = succeed(held, R"({"ok":true})");

  EXPECT_EQ(answer.error, errc::none);
  EXPECT_TRUE(answer.changed);
  EXPECT_EQ(answer.job.state, job_state::succeeded);
  EXPECT_EQ(answer.job.result, R"({"ok":true})");
  EXPECT_EQ(answer.job.revision, held.revision + 1);
  EXPECT_GE(answer.job.finished_at, answer.job.started_at);
  EXPECT_EQ(answer.job.lease_until, 0);
  EXPECT_EQ(get(held.id), answer.job);
}

TEST_P(TransitionSuite, ARunningJobThatFailsForGoodIsADeadLetter) {
  const auto held = running();

  const auto answer = fail(held, false);

  EXPECT_EQ(answer.error, errc::none);
  EXPECT_TRUE(answer.changed);
  EXPECT_EQ(answer.job.state, job_state::failed);
  EXPECT_GT(answer.job.finished_at, 0);
  EXPECT_EQ(answer.job.lease_until, 0);
  const job_error expected{"source_unavailable", "503", false, 1};
  EXPECT_EQ(answer.job.errors, std::vector{expected});
  EXPECT_EQ(get(held.id), answer.job);
}

TEST_P(TransitionSuite, ARunningJobIsCancelledByWayOfItsAttempt) {
  const auto held = running();

  const auto told = cancel(held.id);
  EXPECT_TRUE(told.changed);
  EXPECT_EQ(told.job.state, job_state::cancelling);
  EXPECT_EQ(told.job.lease_until, held.lease_until);
  const auto ended = fail(held);

  EXPECT_EQ(ended.job.state, job_state::cancelled);
  EXPECT_TRUE(ended.changed);
  EXPECT_TRUE(ended.job.errors.empty());
  EXPECT_GT(ended.job.finished_at, 0);
  EXPECT_EQ(ended.job.lease_until, 0);
}

TEST_P(TransitionSuite, ARunningJobCannotBeRetriedOrPurged) {
  const auto held = running();

  EXPECT_EQ(retry(held.id).error, errc::invalid_state);
  EXPECT_EQ(purge(held.id).error, errc::invalid_state);
  EXPECT_EQ(get(held.id), held);
}

// -- waiting ------------------------------------------------------------------

TEST_P(TransitionSuite, AWaitingJobIsCancelledAtOnce) {
  auto later = draft();
  later.delay_ms = 60 * second;
  for (const auto& id : {submit().id, submit(later).id}) {
    const auto answer = cancel(id);

    EXPECT_EQ(answer.error, errc::none);
    EXPECT_TRUE(answer.changed);
    EXPECT_EQ(answer.job.state, job_state::cancelled);
    EXPECT_GT(answer.job.finished_at, 0);
    EXPECT_EQ(get(id), answer.job);
  }
  advance(120 * second);
  EXPECT_TRUE(sweep().queued.empty());
  EXPECT_TRUE(claim(10).empty());
}

TEST_P(TransitionSuite, AWaitingJobCannotBeRetriedOrPurged) {
  const auto waiting = submit();

  EXPECT_EQ(retry(waiting.id).error, errc::invalid_state);
  EXPECT_EQ(purge(waiting.id).error, errc::invalid_state);
  EXPECT_EQ(get(waiting.id), waiting);
}

// -- cancelling ---------------------------------------------------------------

TEST_P(TransitionSuite, ACancellingJobRefusesOutcomesAndFurtherWishes) {
  const auto held = running();
  const auto cancelling = cancel(held.id).job;

  EXPECT_EQ(commit(held).error, errc::invalid_state);
  EXPECT_EQ(succeed(held).error, errc::invalid_state);
  EXPECT_EQ(retry(held.id).error, errc::invalid_state);
  EXPECT_EQ(purge(held.id).error, errc::invalid_state);
  const auto again = cancel(held.id);

  EXPECT_EQ(again.error, errc::none);
  EXPECT_FALSE(again.changed);
  EXPECT_EQ(get(held.id), cancelling);
}

TEST_P(TransitionSuite, ACancellingJobThatIsGivenBackIsCancelled) {
  for (const auto why : {release_reason::drain, release_reason::node_lost}) {
    const auto held = running();
    cancel(held.id);

    const auto answer = release(held, why);

    EXPECT_EQ(answer.job.state, job_state::cancelled);
    EXPECT_TRUE(answer.changed);
  }
}

// -- publishing ---------------------------------------------------------------

TEST_P(TransitionSuite, ACommittedJobIsPublishingAndSucceeds) {
  const auto held = running();

  const auto committed = commit(held);
  EXPECT_EQ(committed.error, errc::none);
  EXPECT_TRUE(committed.changed);
  EXPECT_EQ(committed.job.state, job_state::running);
  EXPECT_TRUE(committed.job.publishing);
  EXPECT_EQ(committed.job.manifest, some_files());
  EXPECT_EQ(get(held.id), committed.job);
  const auto done = succeed(held, "");

  EXPECT_EQ(done.job.state, job_state::succeeded);
  EXPECT_FALSE(done.job.publishing);
  EXPECT_TRUE(done.job.manifest.empty());
  EXPECT_EQ(done.job.result, R"({"path":"a"})") << "what was committed";
}

TEST_P(TransitionSuite, APublishingJobIsNotTouchedByWishes) {
  const auto held = running();
  const auto publishing = commit(held).job;

  const auto cancelled = cancel(held.id);
  EXPECT_EQ(cancelled.error, errc::none);
  EXPECT_FALSE(cancelled.changed);
  EXPECT_EQ(retry(held.id).error, errc::invalid_state);
  EXPECT_EQ(purge(held.id).error, errc::invalid_state);
  EXPECT_EQ(fail(held).error, errc::invalid_state);

  EXPECT_EQ(get(held.id), publishing);
  EXPECT_TRUE(claim().empty());
}

TEST_P(TransitionSuite, ACommitIsReplacedToReserveAnotherName) {
  const auto held = running();
  commit(held);
  auto files = some_files();
  files[0].final_path = "/lib/a (2).mp4";

  const auto answer = apply(commit_op{held.id, held.fence, "{}", files});

  EXPECT_EQ(answer.error, errc::none);
  EXPECT_EQ(answer.job.manifest, files);
  EXPECT_EQ(get(held.id).manifest, files);
}

// -- terminal -----------------------------------------------------------------

TEST_P(TransitionSuite, ASucceededJobStaysSo) {
  const auto held = running();
  const auto done = succeed(held).job;

  EXPECT_FALSE(cancel(held.id).changed);
  EXPECT_EQ(cancel(held.id).error, errc::none);
  EXPECT_EQ(retry(held.id).error, errc::invalid_state);
  EXPECT_EQ(fail(held).error, errc::stale_fence);
  EXPECT_EQ(release(held, release_reason::node_lost).error, errc::stale_fence);

  EXPECT_EQ(get(held.id), done);
}

TEST_P(TransitionSuite, AFailedJobIsRetriedWithFreshBudgetsAndItsCheckpoint) {
  const auto held = running();
  apply(checkpoint_op{held.id, held.fence, {}, R"({"at":5})"});
  fail(held, false);
  EXPECT_FALSE(cancel(held.id).changed) << "cancel of a terminal job";
  advance(5 * second);

  const auto answer = retry(held.id);

  EXPECT_EQ(answer.error, errc::none);
  EXPECT_TRUE(answer.changed);
  EXPECT_EQ(answer.job.id, held.id);
  EXPECT_EQ(answer.job.state, job_state::queued);
  EXPECT_EQ(answer.job.attempt, 0u);
  EXPECT_EQ(answer.job.losses, 0u);
  EXPECT_EQ(answer.job.finished_at, 0);
  EXPECT_EQ(answer.job.checkpoint, R"({"at":5})");
  EXPECT_EQ(answer.job.errors.size(), 1u);
  EXPECT_GE(answer.job.run_at, held.run_at + 5 * second);
  const auto again = claim();
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].attempt, 1u);
  EXPECT_EQ(again[0].fence.epoch, 2u) << "epochs go on";
}

TEST_P(TransitionSuite, ACancelledJobIsRetried) {
  const auto id = submit().id;
  cancel(id);

  EXPECT_EQ(retry(id).job.state, job_state::queued);
  EXPECT_EQ(ids_of(claim()), std::vector{id});
}

TEST_P(TransitionSuite, TerminalJobsArePurged) {
  const auto done = running();
  succeed(done);
  const auto failed = running();
  fail(failed, false);
  const auto cancelled = submit();
  cancel(cancelled.id);

  for (const auto& id : {done.id, failed.id, cancelled.id}) {
    const auto answer = purge(id);
    EXPECT_EQ(answer.error, errc::none);
    EXPECT_TRUE(answer.changed);
    EXPECT_EQ(answer.job, job{}) << "there is none any more";
    EXPECT_EQ(get_error(id), errc::not_found);
    EXPECT_EQ(purge(id).error, errc::not_found);
  }
  EXPECT_TRUE(list().empty());
}

// -- groups of operations -----------------------------------------------------

TEST_P(TransitionSuite, AGroupIsAppliedInOrderWithOneAnswerEach) {
  const auto first = draft();
  const auto second_draft = draft();

  const auto answers = apply_all({
    submit_op{first, {}},
    cancel_op{first.id},
    retry_op{first.id},
    cancel_op{"nobody"},
    submit_op{second_draft, {}},
    purge_op{second_draft.id},
  });

  ASSERT_EQ(answers.size(), 6u);
  EXPECT_EQ(answers[0].job.state, job_state::queued);
  EXPECT_EQ(answers[1].job.state, job_state::cancelled);
  EXPECT_EQ(answers[2].job.state, job_state::queued);
  EXPECT_EQ(answers[2].job.revision, 3u);
  EXPECT_EQ(answers[3].error, errc::not_found);
  EXPECT_EQ(answers[4].error, errc::none);
  EXPECT_EQ(answers[5].error, errc::invalid_state);
  EXPECT_EQ(ids_of(claim(10)), (std::vector{first.id, second_draft.id}));
}

TEST_P(TransitionSuite, AnEmptyGroupIsNothing) {
  EXPECT_TRUE(apply_all({}).empty());
}

} // namespace
} // namespace troupe::store::testing
