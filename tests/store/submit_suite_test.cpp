#include "tests/store/store_suite.hpp"

/// Submits that are no new jobs: keys, repetitions, a full queue.
namespace troupe::store::testing {
namespace {

class SubmitSuite : public StoreSuite {
protected:
  static constexpr std::int64_t day = 24 * 3600 * second;

  applied submit_unique(const std::string& key) {
    auto made = draft();
    made.unique_key = key;
    return apply(submit_op{made, {}});
  }

  applied submit_with(const std::string& scope, const std::string& hash) {
    return apply(submit_op{draft(), {scope, hash}});
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, SubmitSuite,
                         ::testing::ValuesIn(store_kinds()),
                         ::testing::PrintToStringParamName());

// -- the same id --------------------------------------------------------------

TEST_P(SubmitSuite, AnIdIsTakenOnce) {
  const auto made = draft();
  const auto first = submit(made);
  cancel(made.id);

  const auto again = apply(submit_op{made, {}});

  EXPECT_EQ(again.error, errc::none);
  EXPECT_FALSE(again.changed);
  EXPECT_EQ(again.job, get(first.id)) << "the job as it is now";
  EXPECT_EQ(list().size(), 1u);
}

// -- unique_key ---------------------------------------------------------------

TEST_P(SubmitSuite, AUniqueKeyAnswersWithTheOpenJob) {
  const auto first = submit_unique("k").job;
  const auto other = submit_unique("l").job;

  const auto again = submit_unique("k");

  EXPECT_EQ(again.error, errc::none);
  EXPECT_FALSE(again.changed);
  EXPECT_FALSE(again.replayed);
  EXPECT_EQ(again.job, first);
  EXPECT_NE(other.id, first.id);
  EXPECT_EQ(list().size(), 2u);
}

TEST_P(SubmitSuite, AUniqueKeyIsHeldUntilTheJobIsTerminal) {
  const auto first = submit_unique("k").job;
  const auto held = claim().at(0);
  EXPECT_EQ(submit_unique("k").job.id, first.id) << "running";
  commit(held);
  EXPECT_EQ(submit_unique("k").job.id, first.id) << "publishing";
  succeed(held);

  const auto next = submit_unique("k");
  EXPECT_TRUE(next.changed);
  EXPECT_NE(next.job.id, first.id);
  cancel(next.job.id);
  EXPECT_TRUE(submit_unique("k").changed);
}

TEST_P(SubmitSuite, AUniqueKeyIsHeldThroughCancellingAndBackoff) {
  submit_unique("k");
  const auto held = claim().at(0);
  fail(held);
  EXPECT_FALSE(submit_unique("k").changed) << "scheduled for another attempt";
  advance(3600 * second);
  const auto again = claim().at(0);
  cancel(again.id);
  EXPECT_FALSE(submit_unique("k").changed) << "cancelling";
  fail(again);

  EXPECT_TRUE(submit_unique("k").changed);
}

TEST_P(SubmitSuite, ARetryNeedsItsUniqueKeyBack) {
  const auto first = submit_unique("k").job;
  cancel(first.id);
  const auto holder = submit_unique("k").job;

  EXPECT_EQ(retry(first.id).error, errc::invalid_state);
  EXPECT_EQ(get(first.id).state, job_state::cancelled);
  cancel(holder.id);
  EXPECT_EQ(retry(first.id).error, errc::none);
  EXPECT_EQ(submit_unique("k").job.id, first.id);
}

TEST_P(SubmitSuite, PurgingAnOldHolderLeavesTheKeyWithTheNew) {
  const auto first = submit_unique("k").job;
  cancel(first.id);
  const auto holder = submit_unique("k").job;

  purge(first.id);

  EXPECT_EQ(submit_unique("k").job.id, holder.id);
}

// -- idempotency --------------------------------------------------------------

TEST_P(SubmitSuite, ARepeatedAnswerTellsThatAnotherJobHeldTheKey) {
  auto made = draft();
  made.unique_key = "k";
  const auto first = apply(submit_op{made, {}});
  auto other = draft();
  other.unique_key = "k";

  const auto held = apply(submit_op{other, {"s", "h"}});
  const auto again = apply(submit_op{draft(), {"s", "h"}});

  EXPECT_FALSE(first.held);
  EXPECT_TRUE(held.held);
  EXPECT_FALSE(held.replayed);
  EXPECT_TRUE(again.held);
  EXPECT_TRUE(again.replayed);
  EXPECT_EQ(again.job.id, made.id);
}

TEST_P(SubmitSuite, ARepeatedPostGetsItsFirstAnswerAgain) {
  const auto first = submit_with("ann POST /v1/jobs k", "h1");
  EXPECT_FALSE(first.replayed);
  succeed(claim().at(0));

  const auto again = submit_with("ann POST /v1/jobs k", "h1");

  EXPECT_EQ(again.error, errc::none);
  EXPECT_TRUE(again.replayed);
  EXPECT_FALSE(again.changed);
  EXPECT_EQ(again.job, first.job) << "as it was first answered";
  EXPECT_EQ(list().size(), 1u);
  purge(first.job.id);
  EXPECT_EQ(submit_with("ann POST /v1/jobs k", "h1").job, first.job);
}

TEST_P(SubmitSuite, AnIdempotencyKeyWithAnotherBodyIsAMismatch) {
  submit_with("s", "h1");

  const auto other = submit_with("s", "h2");

  EXPECT_EQ(other.error, errc::idempotency_mismatch);
  EXPECT_FALSE(other.changed);
  EXPECT_EQ(list().size(), 1u);
}

TEST_P(SubmitSuite, IdempotencyKeysOfOtherScopesAreOthers) {
  EXPECT_TRUE(submit_with("s", "h1").changed);
  EXPECT_TRUE(submit_with("t", "h1").changed);
  EXPECT_TRUE(submit_with("", "h1").changed);
  EXPECT_TRUE(submit_with("", "h2").changed);
}

TEST_P(SubmitSuite, AnIdempotencyKeyIsForgottenAfterADay) {
  const auto first = submit_with("s", "h1").job;
  advance(day - second);
  sweep();
  EXPECT_TRUE(submit_with("s", "h1").replayed);
  advance(2 * second);

  const auto next = submit_with("s", "h2");

  EXPECT_EQ(next.error, errc::none);
  EXPECT_TRUE(next.changed);
  EXPECT_NE(next.job.id, first.id);
  EXPECT_EQ(submit_with("s", "h1").error, errc::idempotency_mismatch);
}

TEST_P(SubmitSuite, TheDelayOfOneThatWaitedElsewhereHasBegunThere) {
  submit_op op{draft(), {}};
  op.draft.delay_ms = 100 * second;
  op.spooled = true;
  op.since = moment_now();
  op.since.up_ms -= 40 * second;
  op.since.wall += 600 * second; // that clock was wrong
  auto over = op;
  over.draft = draft();
  over.draft.delay_ms = 30 * second;

  const auto waits = apply(op).job;
  const auto ready = apply(over).job;

  EXPECT_EQ(waits.state, job_state::scheduled);
  EXPECT_NEAR(double(waits.run_at - waits.created_at), 60.0 * second, second);
  EXPECT_EQ(ready.state, job_state::queued);
}

TEST_P(SubmitSuite, AKeyWithinOneGroupCountsAtOnce) {
  const auto answers =
    apply_all({submit_op{draft(), {"s", "h"}}, submit_op{draft(), {"s", "h"}},
               submit_op{draft(), {"s", "g"}}});

  EXPECT_TRUE(answers[0].changed);
  EXPECT_TRUE(answers[1].replayed);
  EXPECT_EQ(answers[1].job, answers[0].job);
  EXPECT_EQ(answers[2].error, errc::idempotency_mismatch);
}

TEST_P(SubmitSuite, AnAnswerByUniqueKeyIsRepeatedToo) {
  const auto holder = submit_unique("k").job;
  auto made = draft();
  made.unique_key = "k";
  const auto first = apply(submit_op{made, {"s", "h"}});
  EXPECT_EQ(first.job, holder);
  cancel(holder.id);

  made.id = draft().id;
  const auto again = apply(submit_op{made, {"s", "h"}});

  EXPECT_TRUE(again.replayed);
  EXPECT_EQ(again.job, holder);
}

// -- limits -------------------------------------------------------------------

TEST_P(SubmitSuite, AFullQueueRefusesNewJobsOnly) {
  options.max_queued = 3;
  auto unique = draft();
  unique.unique_key = "k";
  auto later = draft();
  later.delay_ms = 60 * second;
  const auto first = draft();
  apply_all({submit_op{unique, {}}, submit_op{later, {}},
             submit_op{first, {"s", "h"}}});

  EXPECT_EQ(apply(submit_op{draft(), {"t", "h"}}).error, errc::queue_full);
  EXPECT_FALSE(submit_unique("k").changed);
  EXPECT_EQ(submit_unique("k").error, errc::none);
  EXPECT_TRUE(submit_with("s", "h").replayed);
  EXPECT_EQ(apply(submit_op{first, {}}).error, errc::none);
  EXPECT_EQ(list().size(), 3u);
}

TEST_P(SubmitSuite, ARefusalIsNotRemembered) {
  options.max_queued = 1;
  const auto only = submit();
  EXPECT_EQ(submit_with("s", "h").error, errc::queue_full);
  cancel(only.id);

  const auto again = submit_with("s", "h");

  EXPECT_EQ(again.error, errc::none);
  EXPECT_FALSE(again.replayed);
}

TEST_P(SubmitSuite, RunningAndFinishedJobsLeaveRoom) {
  options.max_queued = 1;
  const auto held = running();
  const auto waiting = submit();
  EXPECT_EQ(apply(submit_op{draft(), {}}).error, errc::queue_full);

  cancel(waiting.id);

  EXPECT_EQ(apply(submit_op{draft(), {}}).error, errc::none);
  EXPECT_EQ(release(held, release_reason::drain).error, errc::none)
    << "what was accepted once is never refused";
  EXPECT_EQ(apply(submit_op{draft(), {}}).error, errc::queue_full);
}

TEST_P(SubmitSuite, AGroupFillsTheQueueJobByJob) {
  options.max_queued = 2;

  const auto answers = apply_all(
    {submit_op{draft(), {}}, submit_op{draft(), {}}, submit_op{draft(), {}}});

  EXPECT_EQ(answers[1].error, errc::none);
  EXPECT_EQ(answers[2].error, errc::queue_full);
}

} // namespace
} // namespace troupe::store::testing
