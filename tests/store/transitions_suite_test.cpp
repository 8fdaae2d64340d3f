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

} // namespace
} // namespace troupe::store::testing
