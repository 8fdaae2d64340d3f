#include "tests/store/store_suite.hpp"

/// What attempts leave behind while they run.
namespace troupe::store::testing {
namespace {

using ProgressSuite = StoreSuite;

INSTANTIATE_TEST_SUITE_P(Stores, ProgressSuite,
                         ::testing::ValuesIn(store_kinds()),
                         ::testing::PrintToStringParamName());

TEST_P(ProgressSuite, AnAttemptLeavesProgressAndCheckpoint) {
  const auto held = running();
  const media::progress now{0.5,     "download", 50,  100,
                            "bytes", 12.5,       4.0, "half"};

  const auto answer =
    apply(checkpoint_op{held.id, held.fence, now, R"({"part":50})"});
  EXPECT_EQ(answer.error, errc::none);
  EXPECT_FALSE(answer.changed);
  EXPECT_EQ(answer.job.revision, held.revision);
  apply(checkpoint_op{held.id, held.fence, {}, ""});

  const auto kept = get(held.id);
  EXPECT_EQ(answer.job.progress, now);
  EXPECT_EQ(kept.progress, media::progress{});
  EXPECT_EQ(kept.checkpoint, R"({"part":50})") << "an empty one changes none";
  EXPECT_EQ(kept.lease_until, held.lease_until);
}

TEST_P(ProgressSuite, ANewAttemptStartsWithoutProgress) {
  const auto held = running();
  const media::progress now{0.5, "download", 50, 100, "bytes", 0, -1, ""};
  apply(checkpoint_op{held.id, held.fence, now, "{}"});

  release(held, release_reason::drain);

  EXPECT_EQ(claim().at(0).progress, media::progress{});
}

TEST_P(ProgressSuite, APostponedJobWaitsAndSpendsNothing) {
  const auto held = running();

  const auto answer =
    apply(release_op{held.id, held.fence, release_reason::postponed, 5000});

  EXPECT_EQ(answer.job.state, job_state::scheduled);
  EXPECT_EQ(answer.job.attempt, 1u);
  EXPECT_TRUE(answer.job.errors.empty());
  EXPECT_TRUE(claim().empty());
  advance(5001);
  EXPECT_EQ(claim().at(0).attempt, 1u);
}

TEST_P(ProgressSuite, BytesOfEveryKindAreKept) {
  auto odd = draft();
  odd.params = std::string("{\"\0\x7f\":\"\xc3\xa4 \xf0\x9f\x8e\xad\"}", 16);
  odd.params += std::string(300'000, 'x');
  odd.tags = {"", "a b", "it's \"so\"", "%_*"};
  odd.concurrency_key = "gr'oup\n\"";
  submit(odd);

  const auto held = claim().at(0);

  EXPECT_EQ(held.params, odd.params);
  EXPECT_EQ(held.tags, odd.tags);
  EXPECT_EQ(held.concurrency_key, odd.concurrency_key);
}

} // namespace
} // namespace troupe::store::testing
