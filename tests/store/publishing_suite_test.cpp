#include "tests/store/store_suite.hpp"

/// What was committed is published, by whoever is left.
namespace troupe::store::testing {
namespace {

class PublishingSuite : public StoreSuite {
protected:
  static held_lease lease_of(const job& it) {
    return {it.id, it.fence};
  }

  /// Lets a lease that nobody renews run out, while the server lives.
  sweep_result run_out() {
    advance_renewing(3 * lease_ms);
    return sweep();
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, PublishingSuite,
                         ::testing::ValuesIn(store_kinds()),
                         ::testing::PrintToStringParamName());

TEST_P(PublishingSuite, AnExpiredPublicationIsRolledForwardByTheSweeper) {
  const auto held = running();
  commit(held);
  node = "node-2";

  const auto swept = run_out();

  EXPECT_TRUE(swept.expired.empty());
  ASSERT_EQ(ids_of(swept.roll_forward), std::vector{held.id});
  const auto& it = swept.roll_forward[0];
  EXPECT_TRUE(it.publishing);
  EXPECT_EQ(it.state, job_state::running);
  EXPECT_EQ(it.manifest, some_files());
  EXPECT_EQ(it.node, "node-2");
  EXPECT_EQ(it.attempt, 1u);
  EXPECT_NE(it.fence, held.fence);
  EXPECT_EQ(get(held.id), it);
  const auto after = sweep();
  EXPECT_TRUE(after.roll_forward.empty());
  // The store reads its clock once more to hand the job out.
  EXPECT_GE(it.lease_until, swept.now + lease_ms);
  EXPECT_LE(it.lease_until, after.now + lease_ms);
  EXPECT_EQ(succeed(held).error, errc::stale_fence);
  EXPECT_EQ(succeed(it).job.state, job_state::succeeded);
}

TEST_P(PublishingSuite, AReleasedPublicationIsHandedOutAgain) {
  for (const auto why : {release_reason::drain, release_reason::node_lost}) {
    const auto held = running();
    commit(held);
    advance_renewing(2 * lease_ms, {lease_of(held)});

    const auto released = release(held, why);
    EXPECT_EQ(released.error, errc::none);
    EXPECT_TRUE(released.job.publishing);
    EXPECT_TRUE(claim().empty());
    const auto swept = sweep();

    ASSERT_EQ(ids_of(swept.roll_forward), std::vector{held.id});
    EXPECT_EQ(swept.roll_forward[0].losses, 0u);
    succeed(swept.roll_forward[0]);
  }
}

TEST_P(PublishingSuite, APublicationIsHandedOutAgainAfterThePauseAskedFor) {
  const auto held = running();
  commit(held);
  advance_renewing(2 * lease_ms, {lease_of(held)});

  const auto released =
    apply(release_op{held.id, held.fence, release_reason::node_lost, 5000});
  EXPECT_EQ(released.error, errc::none);
  EXPECT_TRUE(released.job.publishing);
  EXPECT_TRUE(sweep().roll_forward.empty());
  advance_renewing(5001, {});

  EXPECT_EQ(ids_of(sweep().roll_forward), std::vector{held.id});
}

TEST_P(PublishingSuite, APublicationFailsOnlyWhenItsResultIsLost) {
  const auto held = running();
  commit(held);
  fail_op op{held.id, held.fence, "result_lost", "gone", false, 0, {}};

  EXPECT_EQ(apply(op).error, errc::invalid_state);
  op.result_lost = true;
  const auto failed = apply(op);

  EXPECT_EQ(failed.error, errc::none);
  EXPECT_EQ(failed.job.state, job_state::failed);
  EXPECT_EQ(failed.job.errors.at(0).code, "result_lost");
  EXPECT_FALSE(failed.job.publishing);
  EXPECT_TRUE(failed.job.manifest.empty());
  EXPECT_TRUE(failed.job.result.empty());
  EXPECT_EQ(get(held.id), failed.job);
  EXPECT_TRUE(sweep().roll_forward.empty());
}

} // namespace
} // namespace troupe::store::testing
