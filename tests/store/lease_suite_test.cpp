#include "tests/store/store_suite.hpp"

/// Fences, leases, their expiry, and the three budgets.
namespace troupe::store::testing {
namespace {

class LeaseSuite : public StoreSuite {
protected:
  static held_lease lease_of(const job& it) {
    return {it.id, it.fence};
  }

  /// Lets a lease that nobody renews run out, while the server lives.
  sweep_result run_out() {
    advance_renewing(3 * lease_ms);
    return sweep();
  }

  sweep_result adopt(const std::string& who) {
    auto taken = store().adopt({who, nonce++, lease_ms, 256});
    EXPECT_TRUE(taken);
    return taken ? *taken : sweep_result{};
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, LeaseSuite, ::testing::ValuesIn(store_kinds()),
                         ::testing::PrintToStringParamName());

// -- fences -------------------------------------------------------------------

TEST_P(LeaseSuite, AStaleFenceIsRefusedEverywhere) {
  auto stale = running();
  const auto held = get(stale.id);
  for (const fence& wrong :
       {fence{1, 99}, fence{2, held.fence.nonce}, fence{0, 0}}) {
    stale.fence = wrong;
    EXPECT_EQ(succeed(stale).error, errc::stale_fence);
    EXPECT_EQ(commit(stale).error, errc::stale_fence);
    EXPECT_EQ(fail(stale).error, errc::stale_fence);
    EXPECT_EQ(release(stale, release_reason::drain).error, errc::stale_fence);
    EXPECT_EQ(apply(checkpoint_op{stale.id, wrong, {}, "{}"}).error,
              errc::stale_fence);
  }
  EXPECT_EQ(get(held.id), held);
}

TEST_P(LeaseSuite, AnAttemptThatWasOvertakenChangesNothing) {
  const auto first = running();
  release(first, release_reason::node_lost);
  const auto second_attempt = claim().at(0);

  EXPECT_EQ(succeed(first).error, errc::stale_fence);
  EXPECT_EQ(fail(first).error, errc::stale_fence);
  EXPECT_EQ(commit(first).error, errc::stale_fence);

  EXPECT_EQ(get(first.id), second_attempt);
  EXPECT_EQ(second_attempt.fence.epoch, 2u);
}

TEST_P(LeaseSuite, AJobWithoutALeaseRefusesItsLastFence) {
  const auto held = running();
  release(held, release_reason::drain);
  const auto queued = get(held.id);

  EXPECT_EQ(succeed(held).error, errc::stale_fence);
  EXPECT_EQ(commit(held).error, errc::stale_fence);
  EXPECT_EQ(apply(checkpoint_op{held.id, held.fence, {}, "{}"}).error,
            errc::stale_fence);
  EXPECT_EQ(get(held.id), queued);
}

TEST_P(LeaseSuite, AnOutcomeToldTwiceHasItsEffectOnce) {
  const auto done = running();
  commit(done);
  const auto succeeded = succeed(done).job;
  for (const auto& again :
       apply_all({commit_op{done.id, done.fence, "{}", some_files()},
                  succeed_op{done.id, done.fence, R"({"other":1})"}})) {
    EXPECT_EQ(again.error, errc::none);
    EXPECT_FALSE(again.changed);
  }
  EXPECT_EQ(get(done.id), succeeded);

  const auto failing = running();
  const auto failed = fail(failing).job;
  const auto again = fail(failing);
  EXPECT_EQ(again.error, errc::none);
  EXPECT_FALSE(again.changed);
  EXPECT_EQ(get(failing.id), failed);
}

TEST_P(LeaseSuite, AReleaseToldTwiceSpendsOneLoss) {
  const auto held = running();
  release(held, release_reason::node_lost);

  const auto again = release(held, release_reason::node_lost);

  EXPECT_EQ(again.error, errc::none);
  EXPECT_FALSE(again.changed);
  EXPECT_EQ(get(held.id).losses, 1u);
}

// -- renewal ------------------------------------------------------------------

TEST_P(LeaseSuite, ARenewalAnswersForEachLease) {
  const auto good = running();
  const auto cancelling = running();
  cancel(cancelling.id);
  const auto publishing = running();
  commit(publishing);
  const auto ended = running();
  succeed(ended);
  auto foreign = lease_of(good);
  foreign.fence.nonce = 1234;
  advance(5 * second);

  const auto answers = store().renew(
    std::vector{lease_of(good), lease_of(cancelling), lease_of(publishing),
                lease_of(ended), foreign, held_lease{"nobody", {1, 1}}},
    lease_ms);

  ASSERT_TRUE(answers);
  EXPECT_EQ(*answers, (std::vector{errc::none, errc::invalid_state, errc::none,
                                   errc::stale_fence, errc::stale_fence,
                                   errc::stale_fence}));
  EXPECT_GE(get(good.id).lease_until, good.lease_until + 5 * second);
  EXPECT_GE(get(cancelling.id).lease_until, good.lease_until + 5 * second);
  EXPECT_EQ(get(good.id).revision, good.revision);
}

TEST_P(LeaseSuite, ARenewedLeaseDoesNotRunOut) {
  const auto held = running();

  advance_renewing(5 * lease_ms, {lease_of(held)});

  const auto swept = sweep();
  EXPECT_TRUE(swept.expired.empty());
  EXPECT_GE(swept.next_due, swept.now);
  EXPECT_EQ(get(held.id).state, job_state::running);
  EXPECT_EQ(succeed(held).error, errc::none);
}

TEST_P(LeaseSuite, ALeaseThatNobodyRenewsRunsOut) {
  const auto held = running();

  const auto swept = run_out();

  ASSERT_EQ(ids_of(swept.expired), std::vector{held.id});
  const auto& it = swept.expired[0];
  EXPECT_EQ(it.state, job_state::queued);
  EXPECT_EQ(it.lease_until, 0);
  EXPECT_EQ(it.attempt, 1u);
  EXPECT_EQ(it.losses, 1u);
  EXPECT_EQ(it.errors.at(0).code, "node_lost");
  EXPECT_EQ(get(held.id), it);
  EXPECT_EQ(succeed(held).error, errc::stale_fence);
  const auto again = claim();
  ASSERT_EQ(ids_of(again), std::vector{held.id});
  EXPECT_EQ(again[0].attempt, 1u) << "a lost attempt does not count";
}

TEST_P(LeaseSuite, AnExpiredCancellingJobIsCancelled) {
  const auto held = running();
  cancel(held.id);

  const auto swept = run_out();

  ASSERT_EQ(swept.expired.size(), 1u);
  EXPECT_EQ(swept.expired[0].state, job_state::cancelled);
}

// -- alive --------------------------------------------------------------------

TEST_P(LeaseSuite, NothingExpiresWhileNobodyRenewsAnything) {
  running();

  advance(10 * lease_ms);

  EXPECT_TRUE(sweep().expired.empty());
}

TEST_P(LeaseSuite, AfterAGapEverybodyHasOneFullLease) {
  const auto held = running();
  advance_renewing(2 * lease_ms, {lease_of(held)});
  advance(10 * lease_ms); // the store was away

  EXPECT_TRUE(sweep().expired.empty());
  advance_renewing(lease_ms - second);
  EXPECT_TRUE(sweep().expired.empty());
  EXPECT_EQ(get(held.id).state, job_state::running);
  advance_renewing(second);

  EXPECT_EQ(ids_of(sweep().expired), std::vector{held.id});
}

TEST_P(LeaseSuite, AGapOfHalfALeaseIsNone) {
  const auto held = running();
  advance_renewing(2 * lease_ms, {lease_of(held)});
  ASSERT_TRUE(store().renew({}, lease_ms));
  advance(lease_ms / 2 - second);
  ASSERT_TRUE(store().renew({}, lease_ms));
  advance(lease_ms / 2 - second);
  ASSERT_TRUE(store().renew({}, lease_ms));
  advance(2 * second + second / 2);

  EXPECT_EQ(ids_of(sweep().expired), std::vector{held.id});
}

// -- budgets ------------------------------------------------------------------

TEST_P(LeaseSuite, DrainCostsNothingHoweverOften) {
  auto made = draft();
  made.max_attempts = 1;
  auto held = running(made);
  for (int i = 0; i < 15; ++i) {
    const auto released = release(held, release_reason::drain);
    EXPECT_EQ(released.job.state, job_state::queued);
    EXPECT_EQ(released.job.attempt, 1u);
    held = claim().at(0);
  }

  EXPECT_EQ(held.attempt, 1u);
  EXPECT_EQ(held.losses, 0u);
  EXPECT_TRUE(held.errors.empty());
}

TEST_P(LeaseSuite, AJobSurvivesTenLossesAndNoMore) {
  auto made = draft();
  made.max_attempts = 1;
  auto held = running(made);
  for (std::uint32_t lost = 1; lost <= max_losses; ++lost) {
    const auto released = release(held, release_reason::node_lost);
    EXPECT_EQ(released.job.state, job_state::queued);
    EXPECT_EQ(released.job.losses, lost);
    held = claim().at(0);
    EXPECT_EQ(held.attempt, 1u);
  }

  const auto last = release(held, release_reason::node_lost);

  EXPECT_EQ(last.job.state, job_state::failed);
  EXPECT_GT(last.job.finished_at, 0);
  EXPECT_EQ(last.job.errors.size(), max_losses + 1);
  EXPECT_EQ(last.job.errors.back().code, "node_lost");
}

TEST_P(LeaseSuite, AReleasedJobKeepsItsPlace) {
  const auto first = running();
  const auto second_job = submit();
  advance(5 * second);

  release(first, release_reason::drain);

  EXPECT_EQ(ids_of(claim(2)), (std::vector{first.id, second_job.id}));
}

TEST_P(LeaseSuite, LossesDoNotSpendTheOwnBudget) {
  auto made = draft();
  made.max_attempts = 2;
  made.backoff = {0, 1, 0, 0};
  auto held = running(made);
  fail(held);
  held = claim().at(0);
  EXPECT_EQ(held.attempt, 2u);
  release(held, release_reason::node_lost);
  held = claim().at(0);

  EXPECT_EQ(held.attempt, 2u);
  EXPECT_EQ(fail(held).job.state, job_state::failed);
}

// -- adopt --------------------------------------------------------------------

TEST_P(LeaseSuite, ARestartedNodeTakesItsOldLeasesBackAtNoCost) {
  const auto runs = running();
  const auto cancelling = running();
  cancel(cancelling.id);
  const auto publishing = running();
  commit(publishing);
  node = "node-2";
  const auto foreign = running();
  node = "node-1";

  const auto taken = adopt("node-1");

  ASSERT_EQ(taken.expired.size(), 2u);
  EXPECT_EQ(get(runs.id).state, job_state::queued);
  EXPECT_EQ(get(runs.id).attempt, 1u);
  EXPECT_EQ(get(runs.id).losses, 0u);
  EXPECT_TRUE(get(runs.id).errors.empty());
  EXPECT_EQ(get(cancelling.id).state, job_state::cancelled);
  ASSERT_EQ(ids_of(taken.roll_forward), std::vector{publishing.id});
  EXPECT_EQ(succeed(taken.roll_forward[0]).error, errc::none);
  EXPECT_EQ(get(foreign.id), foreign);
  EXPECT_EQ(fail(runs).changed, false) << "the old life has nothing to say";
}

TEST_P(LeaseSuite, AdoptingTakesEachLeaseOnceInHoweverManySteps) {
  for (int i = 0; i < 5; ++i)
    commit(running());
  const sweep_request step{node, 4321, lease_ms, 2};

  std::size_t taken = 0;
  for (bool more = true; more;) {
    const auto part = store().adopt(step);
    ASSERT_TRUE(part);
    taken += part->roll_forward.size();
    more = part->more;
    ASSERT_LE(taken, 5u);
  }

  EXPECT_EQ(taken, 5u);
}

// -- durability ---------------------------------------------------------------

TEST_P(LeaseSuite, AReopenedStoreKnowsEverything) {
  if (!persists())
    GTEST_SKIP() << "this store keeps nothing";
  const auto held = running();
  apply(checkpoint_op{held.id, held.fence, {}, R"({"at":1})"});
  const auto waiting = submit(draft("download", 9));
  auto later = draft();
  later.delay_ms = 60 * second;
  submit(later);
  const auto done = running();
  const auto before = get(held.id);
  reopen();

  EXPECT_EQ(get(held.id), before);
  EXPECT_EQ(depth(job_state::running), 2u);
  EXPECT_EQ(depth(job_state::scheduled), 1u);
  EXPECT_EQ(succeed(held).error, errc::none);
  EXPECT_EQ(done.id, waiting.id) << "priority nine was claimed first";
  advance(60 * second);
  EXPECT_EQ(ids_of(sweep().queued), std::vector{later.id});
  EXPECT_EQ(list().size(), 4u);
}

} // namespace
} // namespace troupe::store::testing
