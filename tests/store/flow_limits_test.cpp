#include "actors/store/flow_limits.hpp"

#include <gtest/gtest.h>

namespace troupe::store {
namespace {

flow_limit rated(double rate) {
  flow_limit it;
  it.rate_per_s = rate;
  return it;
}

/// Claims in a span, of one who comes whenever a token is there.
int claims_within(flow_limit it, timestamp_ms from, timestamp_ms ms) {
  int count = 0;
  for (auto now = from; now < from + ms;) {
    const auto tokens = tokens_of(it, now);
    count += static_cast<int>(tokens);
    take_tokens(it, tokens, now);
    const auto next = next_token(it);
    EXPECT_GT(next, now);
    EXPECT_GE(tokens_of(it, next), 1u);
    EXPECT_EQ(tokens_of(it, next - 1), 0u);
    now = next;
  }
  return count;
}

TEST(FlowLimits, ABucketLetsThroughItsRate) {
  EXPECT_EQ(claims_within(rated(0.5), 1'000'000, 10'000), 5);
  EXPECT_EQ(claims_within(rated(3), 1'000'000, 10'000), 30);
  EXPECT_NEAR(claims_within(rated(100), 1'000'000, 10'000), 1009, 1);
  EXPECT_NEAR(claims_within(rated(1e4), 1'000'000, 1000), 11000, 20);
}

TEST(FlowLimits, ABucketIsNeverFullerThanFull) {
  auto it = rated(50);

  EXPECT_EQ(tokens_of(it, 1000), 5u);
  take_tokens(it, 5, 1000);
  EXPECT_EQ(tokens_of(it, 1000), 0u);
  EXPECT_EQ(next_token(it), 1020);
  EXPECT_EQ(tokens_of(it, 1'000'000'000), 5u);
}

TEST(FlowLimits, AFasterRateForgetsTheDebtOfASlowOne) {
  auto it = rated(0.001);
  take_tokens(it, 1, 1000);
  it.rate_per_s = 10;
  settle_bucket(it, 1000);

  EXPECT_EQ(next_token(it), 1100);
}

TEST(FlowLimits, APackedLimitIsItself) {
  const flow_limit it{true, 7, 0.25, 3, 123'456'789'012};
  flow_limit read;

  ASSERT_TRUE(unpack_limit(pack_limit(it), read));
  EXPECT_EQ(read, it);
  EXPECT_FALSE(unpack_limit("", read));
  EXPECT_FALSE(unpack_limit(pack_limit(it) + "x", read));
}

TEST(FlowLimits, AGateCountsWhatItLetsThrough) {
  flow_gate gate{{{.concurrency = 3}, 1}, 1000};
  const flow_limit two{.concurrency = 2};
  gate.learn("a", &two, 1);
  gate.learn("b", nullptr, 100);

  EXPECT_EQ(gate.room(), 2u);
  EXPECT_TRUE(gate.has_room("a"));
  gate.take("a");
  EXPECT_FALSE(gate.has_room("a"));
  EXPECT_TRUE(gate.has_room("b"));
  EXPECT_EQ(gate.room(), 1u);
}

} // namespace
} // namespace troupe::store
