#include "tests/store/store_suite.hpp"

/// What is told of ends, and how long what it tells of is kept.
namespace troupe::store::testing {
namespace {

class CallbackSuite : public StoreSuite {
protected:
  job ended() {
    auto made = draft();
    made.callback_url = "https://example.com/hook";
    const auto held = running(made);
    return succeed(held, R"({"n":1})").job;
  }

  std::vector<callback> take() {
    return store().take_callbacks(10).value();
  }

  errc settle(const callback& it, callback_outcome outcome,
              std::int64_t after = 0) {
    return apply(settle_callback_op{{it.id, it.token, outcome, after, "500"}})
      .error;
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, CallbackSuite,
                         ::testing::ValuesIn(store_kinds()),
                         ::testing::PrintToStringParamName());

TEST_P(CallbackSuite, TheEndOfAJobIsToldOnce) {
  const auto it = ended();

  const auto taken = take();

  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].id, it.id + ".3");
  EXPECT_EQ(taken[0].subject, it.id);
  EXPECT_EQ(taken[0].url, "https://example.com/hook");
  EXPECT_EQ(taken[0].type, "job.succeeded");
  EXPECT_NE(taken[0].payload.find(R"("state":"succeeded")"), std::string::npos);
  EXPECT_TRUE(take().empty());
  EXPECT_EQ(settle(taken[0], callback_outcome::delivered), errc::none);
  advance(100 * second);
  EXPECT_TRUE(take().empty());
  EXPECT_EQ(settle(taken[0], callback_outcome::delivered), errc::not_found);
}

TEST_P(CallbackSuite, OneThatNobodySettlesIsDueAgain) {
  ended();
  const auto first = take().at(0);
  advance(61 * second);

  const auto second_try = take().at(0);

  EXPECT_EQ(second_try.id, first.id);
  EXPECT_NE(second_try.token, first.token);
  EXPECT_EQ(settle(first, callback_outcome::delivered), errc::stale_fence);
  EXPECT_EQ(settle(second_try, callback_outcome::delivered), errc::none);
}

TEST_P(CallbackSuite, IsTriedAgainUntilItIsGivenUp) {
  ended();
  settle(take().at(0), callback_outcome::retry, 100 * second);
  EXPECT_TRUE(take().empty());
  advance(101 * second);
  const auto again = take().at(0);
  EXPECT_EQ(again.attempts, 1u);
  EXPECT_EQ(again.error, "500");

  settle(again, callback_outcome::dead);
  advance(1000 * second);
  EXPECT_TRUE(take().empty());
  const auto dead = store().dead_callbacks("", 10).value();
  ASSERT_EQ(dead.size(), 1u);
  EXPECT_EQ(dead[0].attempts, 2u);

  EXPECT_TRUE(store().retry_callback(dead[0].id));
  EXPECT_TRUE(store().dead_callbacks("", 10).value().empty());
  EXPECT_EQ(store().retry_callback(dead[0].id).error().code,
            errc::invalid_state);
  EXPECT_EQ(take().size(), 1u);
}

TEST_P(CallbackSuite, GoesWithItsJob) {
  const auto it = ended();
  const auto taken = take().at(0);

  EXPECT_EQ(purge(it.id).error, errc::none);

  EXPECT_EQ(settle(taken, callback_outcome::retry), errc::not_found);
  advance(100 * second);
  EXPECT_TRUE(take().empty());
}

TEST_P(CallbackSuite, RetentionKeepsAJobUntilItsEndIsTold) {
  options.retention_ms = 100 * second;
  const auto it = ended();
  settle(take().at(0), callback_outcome::retry, 150 * second);
  advance(200 * second);
  sweep();
  EXPECT_EQ(get(it.id).state, job_state::succeeded);
  const auto again = take();
  ASSERT_EQ(again.size(), 1u);
  sweep();
  EXPECT_EQ(get(it.id).state, job_state::succeeded);

  EXPECT_EQ(settle(again[0], callback_outcome::delivered), errc::none);
  sweep();

  EXPECT_EQ(get_error(it.id), errc::not_found);
}

TEST_P(CallbackSuite, OneThatWasGivenUpKeepsNoJob) {
  options.retention_ms = 100 * second;
  const auto it = ended();
  settle(take().at(0), callback_outcome::dead);
  advance(200 * second);

  sweep();

  EXPECT_EQ(get_error(it.id), errc::not_found);
  EXPECT_TRUE(store().dead_callbacks("", 10).value().empty());
}

TEST_P(CallbackSuite, TooManyJobsDropNoneThatIsStillToBeTold) {
  options.retention_count = 1;
  const std::vector untold{ended(), ended(), ended()};
  const auto told = ended();
  for (const auto& one : take())
    if (one.subject == told.id)
      settle(one, callback_outcome::delivered);
  const auto newest = succeed(running()).job;

  while (sweep().more) {
  }

  for (const auto& it : untold)
    EXPECT_EQ(get(it.id).state, job_state::succeeded);
  EXPECT_EQ(get_error(told.id), errc::not_found);
  EXPECT_EQ(get_error(newest.id), errc::not_found);
  advance(100 * second);
  EXPECT_EQ(take().size(), untold.size());
}

TEST_P(CallbackSuite, RetentionKeepsABatchUntilItsEndIsTold) {
  options.retention_ms = 100 * second;
  store()
    .submit_batch({"b1", "", {}, "https://example.com/b"}, std::vector{draft()},
                  {})
    .value();
  succeed(claim().at(0));
  follow();
  advance(200 * second);
  follow();
  const auto taken = take();
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_TRUE(store().get_batch("b1"));

  EXPECT_EQ(settle(taken[0], callback_outcome::delivered), errc::none);
  advance(100 * second);
  follow();

  EXPECT_FALSE(store().get_batch("b1"));
}

TEST_P(CallbackSuite, NothingIsToldOfWhatWasWithdrawn) {
  auto made = draft();
  made.callback_url = "https://example.com/hook";
  const auto it = submit(made);

  EXPECT_TRUE(apply(withdraw_op{it.id, ""}).changed);

  EXPECT_EQ(get_error(it.id), errc::not_found);
  EXPECT_TRUE(take().empty());
}

TEST_P(CallbackSuite, TheEndOfABatchIsToldOnce) {
  store()
    .submit_batch({"b1", "", {}, "https://example.com/b"}, std::vector{draft()},
                  {})
    .value();
  succeed(claim().at(0));
  EXPECT_TRUE(take().empty());
  follow();

  const auto taken = take();

  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].type, "batch.finished");
  EXPECT_EQ(taken[0].subject, "b1");
  EXPECT_NE(taken[0].payload.find(R"("fraction":1)"), std::string::npos);
}

} // namespace
} // namespace troupe::store::testing
