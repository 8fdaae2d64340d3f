#include "tests/store/store_suite.hpp"

#include <algorithm>

/// Who is next, and when: order, groups, delays, backoff.
namespace troupe::store::testing {
namespace {

class OrderSuite : public StoreSuite {
protected:
  std::string submit_of(std::int32_t priority, const std::string& group = "") {
    auto made = draft("download", priority);
    made.concurrency_key = group;
    return submit(made).id;
  }

  std::vector<std::string> all_claimed() {
    return ids_of(claim(1000));
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, OrderSuite, ::testing::ValuesIn(store_kinds()),
                         ::testing::PrintToStringParamName());

// -- order --------------------------------------------------------------------

TEST_P(OrderSuite, EqualsGoInTheOrderOfTheirSubmission) {
  std::vector<std::string> ids;
  std::vector<operation> group;
  for (int i = 0; i < 50; ++i) {
    const auto made = draft();
    ids.push_back(made.id);
    group.emplace_back(submit_op{made, {}});
  }
  // Ids do not decide: within a group they may come in any order.
  std::ranges::reverse(group);
  std::ranges::reverse(ids);
  apply_all(group);

  EXPECT_EQ(all_claimed(), ids);
}

TEST_P(OrderSuite, HigherPriorityGoesFirst) {
  const auto low = submit_of(0);
  const auto middle = submit_of(5);
  const auto high = submit_of(9);

  EXPECT_EQ(all_claimed(), (std::vector{high, middle, low}));
}

TEST_P(OrderSuite, PriorityIsWorthAMinuteOfWaitingPerStep) {
  const auto waiting = submit_of(0);
  advance(8 * 60 * second);
  const auto soon = submit_of(9);
  advance(60 * second + 30 * second);
  const auto too_late = submit_of(9);

  EXPECT_EQ(all_claimed(), (std::vector{soon, waiting, too_late}));
}

TEST_P(OrderSuite, AgeingFollowsTheOptions) {
  options.ageing_ms = 2 * second;
  const auto waiting = submit_of(4);
  advance(3 * second);
  const auto late = submit_of(5);

  EXPECT_EQ(all_claimed(), (std::vector{waiting, late}));
}

TEST_P(OrderSuite, WhatSomebodyWaitsForGoesBeforeEverythingByItsDeadline) {
  const auto old = submit_of(9);
  advance(3600 * second);
  const auto waited_for = [this](std::int64_t deadline_ms) {
    auto made = draft("download", 0);
    made.deadline_ms = deadline_ms;
    made.concurrency_key = deadline_ms % 2 == 0 ? "" : "group";
    return submit(made).id;
  };
  const auto late = waited_for(60 * second);
  const auto soon = waited_for(2 * second);
  const auto middle = waited_for(2 * second + 501);
  submit_of(9);

  EXPECT_EQ(store().depths()->at(0).oldest_age_ms / second, 3600);
  EXPECT_EQ(ids_of(claim(4)), (std::vector{soon, middle, late, old}));
}

TEST_P(OrderSuite, AClaimMayTakeOnlyWhatSomebodyWaitsFor) {
  const auto old = submit_of(9);
  auto made = draft("download", 0);
  made.deadline_ms = 2 * second;
  submit(made);

  claim_request request{"download", node, 1, 10, lease_ms, true};
  EXPECT_EQ(ids_of(store().claim(request)->jobs), std::vector{made.id});
  request.nonce = 2;
  EXPECT_TRUE(store().claim(request)->jobs.empty());
  EXPECT_EQ(all_claimed(), std::vector{old});
}

TEST_P(OrderSuite, AWaitedForJobKeepsItsPlaceWhenItsLeaseIsGivenBack) {
  auto made = draft("download", 0);
  made.deadline_ms = 2 * second;
  submit_of(9);
  submit(made);
  const auto held = claim(1).at(0);
  ASSERT_EQ(held.id, made.id);
  EXPECT_EQ(get(made.id).deadline_ms, 2 * second);

  apply(release_op{held.id, held.fence, release_reason::drain});

  EXPECT_EQ(ids_of(claim(1)), std::vector{made.id});
}

TEST_P(OrderSuite, AClaimTakesNoMoreThanItAskedForAndOfItsQueueOnly) {
  const auto other = submit(draft("image"));
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i)
    ids.push_back(submit().id);

  EXPECT_EQ(ids_of(claim(2)), (std::vector{ids[0], ids[1]}));
  EXPECT_EQ(ids_of(claim(9)), (std::vector{ids[2], ids[3], ids[4]}));
  EXPECT_TRUE(claim(9).empty());
  EXPECT_TRUE(claim(9, "video").empty());
  EXPECT_EQ(ids_of(claim(9, "image")), std::vector{other.id});
}

// -- groups -------------------------------------------------------------------

TEST_P(OrderSuite, GroupsWithoutLimitsDoNotChangeTheOrder) {
  std::vector<std::string> ids;
  for (int i = 0; i < 60; ++i)
    ids.push_back(submit_of(5, "host-" + std::to_string(i * i % 7)));

  std::vector<std::string> claimed;
  for (const std::uint32_t max : {1, 2, 3, 30, 40})
    std::ranges::copy(ids_of(claim(max)), std::back_inserter(claimed));

  EXPECT_EQ(claimed, ids);
}

TEST_P(OrderSuite, GroupsAndPrioritiesMix) {
  const auto a0 = submit_of(0, "a");
  const auto b9 = submit_of(9, "b");
  const auto a9 = submit_of(9, "a");
  const auto b5 = submit_of(5, "b");
  const auto c5 = submit_of(5, "c");
  const auto a5 = submit_of(5, "a");

  EXPECT_EQ(ids_of(claim(1)), std::vector{b9});
  const auto later9 = submit_of(9, "d");
  EXPECT_EQ(all_claimed(), (std::vector{a9, later9, b5, c5, a5, a0}));
}

TEST_P(OrderSuite, CancellingTheHeadOfAGroupBringsTheNextForward) {
  const auto first = submit_of(5, "a");
  const auto second_id = submit_of(5, "a");
  const auto other = submit_of(5, "b");
  cancel(first);

  EXPECT_EQ(ids_of(claim(1)), std::vector{second_id});
  cancel(other);
  EXPECT_TRUE(claim(1).empty());
}

// -- ready times --------------------------------------------------------------

TEST_P(OrderSuite, ADelayedJobWaitsForItsTime) {
  auto later = draft();
  later.delay_ms = 10 * second;
  const auto scheduled = submit(later);
  EXPECT_EQ(scheduled.state, job_state::scheduled);
  EXPECT_EQ(scheduled.run_at, scheduled.created_at + 10 * second);

  advance(9 * second);
  EXPECT_TRUE(sweep().queued.empty());
  EXPECT_TRUE(claim().empty());
  advance(second);
  const auto swept = sweep();

  ASSERT_EQ(ids_of(swept.queued), std::vector{later.id});
  EXPECT_EQ(swept.queued[0].state, job_state::queued);
  EXPECT_EQ(swept.queued[0].revision, scheduled.revision + 1);
  EXPECT_EQ(get(later.id), swept.queued[0]);
  EXPECT_TRUE(sweep().queued.empty());
  EXPECT_EQ(ids_of(claim()), std::vector{later.id});
}

TEST_P(OrderSuite, AClaimPromotesWhatIsDue) {
  auto later = draft();
  later.run_at = submit().created_at + 10 * second;
  submit(later);
  advance(10 * second);

  EXPECT_EQ(ids_of(claim(5)).back(), later.id);
}

TEST_P(OrderSuite, ATimeInThePastIsNow) {
  auto past = draft();
  past.run_at = 1000;

  const auto it = submit(past);

  EXPECT_EQ(it.state, job_state::queued);
  EXPECT_EQ(it.run_at, it.created_at);
}

TEST_P(OrderSuite, APromotedJobStandsWhereItsTimePutsIt) {
  auto early = draft();
  early.delay_ms = 10 * second;
  submit(early);
  advance(15 * second);
  const auto late = submit();

  EXPECT_EQ(all_claimed(), (std::vector{early.id, late.id}));
}

TEST_P(OrderSuite, ASweepTellsWhenToComeAgain) {
  EXPECT_EQ(sweep().next_due, 0);
  auto later = draft();
  later.delay_ms = 60 * second;
  auto sooner = draft();
  sooner.delay_ms = 20 * second;
  submit(later);
  const auto due = submit(sooner).run_at;

  const auto swept = sweep();

  EXPECT_EQ(swept.next_due, due);
  EXPECT_GE(swept.now, due - 20 * second);
  EXPECT_LT(swept.now, due - 19 * second);
  EXPECT_FALSE(swept.more);
}

TEST_P(OrderSuite, ASweepIsABoundedStep) {
  for (int i = 0; i < 5; ++i) {
    auto later = draft();
    later.delay_ms = 10 * second;
    submit(later);
  }
  advance(20 * second);

  const auto step = store().sweep({node, 1, lease_ms, 3});

  ASSERT_TRUE(step);
  EXPECT_EQ(step->queued.size(), 3u);
  EXPECT_TRUE(step->more);
  EXPECT_EQ(sweep().queued.size(), 2u);
}

// -- retries ------------------------------------------------------------------

TEST_P(OrderSuite, BackoffGrowsByItsFactorUpToItsMaximum) {
  auto made = draft();
  made.max_attempts = 5;
  made.backoff = {10, 3, 60, 0};
  auto held = running(made);
  for (const std::int64_t wait : {10, 30, 60, 60}) {
    advance(second);
    const auto failed = fail(held);
    EXPECT_EQ(failed.job.state, job_state::scheduled);
    EXPECT_EQ(failed.job.lease_until, 0);
    EXPECT_EQ(failed.job.finished_at, 0);
    EXPECT_GE(failed.job.run_at, sweep().now + (wait - 1) * second);
    EXPECT_LE(failed.job.run_at, sweep().now + wait * second);

    advance((wait - 1) * second);
    EXPECT_TRUE(claim().empty()) << wait;
    advance(second);
    held = claim().at(0);
  }
  EXPECT_EQ(held.attempt, 5u);
  const auto last = fail(held);
  EXPECT_EQ(last.job.state, job_state::failed);
  EXPECT_EQ(last.job.errors.size(), 5u);
  EXPECT_EQ(last.job.errors.back().attempt, 5u);
}

TEST_P(OrderSuite, JitterSpreadsTheBackoff) {
  auto made = draft();
  made.backoff = {100, 2, 600, 0.2};
  std::vector<std::int64_t> waits;
  for (int i = 0; i < 40; ++i) {
    made.id = draft().id;
    const auto failed = fail(running(made)).job;
    waits.push_back(failed.run_at - sweep().now);
  }

  const auto [least, most] = std::ranges::minmax(waits);
  EXPECT_GE(least, 79 * second);
  EXPECT_LE(most, 120 * second);
  EXPECT_GT(most - least, 10 * second) << "forty throws lie apart";
}

TEST_P(OrderSuite, RetryAfterIsWaitedForAtLeast) {
  auto made = draft();
  made.backoff = {5, 2, 600, 0};
  const auto one = running(made);
  const auto far = apply(
    fail_op{one.id, one.fence, "rate_limited", "429", true, 60 * second, ""});
  made.id = draft().id;
  const auto other = running(made);
  const auto near =
    apply(fail_op{other.id, other.fence, "rate_limited", "429", true, 1, ""});

  const auto now = sweep().now;
  EXPECT_GE(far.job.run_at, now + 59 * second);
  EXPECT_GE(near.job.run_at, now + 4 * second);
  EXPECT_LE(near.job.run_at, now + 5 * second);
}

TEST_P(OrderSuite, WithoutBackoffARetryIsReadyAtOnce) {
  auto made = draft();
  made.backoff = {0, 2, 600, 0.2};
  const auto held = running(made);

  EXPECT_EQ(fail(held).job.state, job_state::queued);
  EXPECT_EQ(claim().at(0).attempt, 2u);
}

TEST_P(OrderSuite, AFailureThatWillNotPassEndsTheJobAtOnce) {
  auto made = draft();
  made.max_attempts = 10;

  EXPECT_EQ(fail(running(made), false).job.state, job_state::failed);
}

TEST_P(OrderSuite, AFailedAttemptMayLeaveACheckpoint) {
  const auto held = running();

  const auto failed = apply(fail_op{held.id, held.fence, "source_unavailable",
                                    "", true, 0, R"({"n":1})"});

  EXPECT_EQ(failed.job.checkpoint, R"({"n":1})");
}

} // namespace
} // namespace troupe::store::testing
