#include "actors/cost_book.hpp"
#include "actors/node_budget.hpp"

#include <gtest/gtest.h>

namespace troupe::actors {
namespace {

constexpr std::uint64_t mb = 1u << 20;

cost_book book_of(media::job_cost declared) {
  return cost_book{[declared](std::string_view) {
    return declared;
  }};
}

media::attempt_usage used_memory(std::uint64_t bytes) {
  media::attempt_usage used;
  used.peak_memory = bytes;
  return used;
}

TEST(CostBook, TakesATypeForWhatItDeclaresUntilOneHasRun) {
  auto costs = book_of({0.5, 100 * mb, 7, 9});

  EXPECT_EQ(costs.of("a"), (media::job_cost{0.5, 100 * mb, 7, 9}));
  costs.note("a", {});
  EXPECT_EQ(costs.of("a").memory, 100 * mb) << "nothing was measured";
}

TEST(CostBook, BelievesAtOnceThatATypeNeedsMore) {
  auto costs = book_of({0, 100 * mb, 0, 0});

  costs.note("a", used_memory(1000 * mb));

  EXPECT_EQ(costs.of("a").memory, 1000 * mb);
  EXPECT_EQ(costs.of("b").memory, 100 * mb);
}

TEST(CostBook, BelievesInTimeThatATypeNeedsLess) {
  auto costs = book_of({0, 1000 * mb, 0, 0});

  int runs = 0;
  while (costs.of("a").memory == 1000 * mb && runs < 100) {
    costs.note("a", used_memory(100 * mb));
    ++runs;
  }

  EXPECT_EQ(costs.of("a").memory, 100 * mb);
  EXPECT_GT(runs, 10);
}

TEST(CostBook, ForgetsARunThatWasUnlikeTheOthers) {
  auto costs = book_of({0, 100 * mb, 0, 0});
  for (int i = 0; i < 20; ++i)
    costs.note("a", used_memory(100 * mb));

  costs.note("a", used_memory(900 * mb));
  EXPECT_EQ(costs.of("a").memory, 900 * mb);
  for (int i = 0; i < 5; ++i)
    costs.note("a", used_memory(100 * mb));

  EXPECT_EQ(costs.of("a").memory, 100 * mb);
}

TEST(CostBook, MeasuresCoresAndBandwidthOverTheTimeThatARunTook) {
  auto costs = book_of({0.1, 0, 0, 0});

  costs.note("a", {.cpu_ms = 6000, .wall_ms = 3000, .network = 3000});

  EXPECT_DOUBLE_EQ(costs.of("a").cpu, 2);
  EXPECT_EQ(costs.of("a").bandwidth, 1000u);
}

TEST(NodeBudget, GivesOutNoMoreThanThereIs) {
  node_budget all{{4, 1000 * mb, 0, 0}};
  const media::job_cost job{1, 400 * mb, 5 * mb, 0};

  EXPECT_EQ(all.fitting("a", job), 2u);
  EXPECT_TRUE(all.take("a", job));
  EXPECT_TRUE(all.take("b", job));
  EXPECT_FALSE(all.take("a", job)) << "all pools share it";
  EXPECT_TRUE(all.take("a", {1, 100 * mb, 0, 0}));
  EXPECT_EQ(all.in_use().memory, 900 * mb);

  all.give_back("b", job);
  EXPECT_TRUE(all.take("a", job));
}

TEST(NodeBudget, LetsOneJobRunThatNeedsMoreThanThereIs) {
  node_budget all{{2, 100 * mb, 0, 0}};
  const media::job_cost huge{8, 900 * mb, 0, 0};

  EXPECT_TRUE(all.take("a", huge));
  EXPECT_FALSE(all.take("b", {0.1, 1, 0, 0}));
  all.give_back("a", huge);
  EXPECT_TRUE(all.take("b", {0.1, 1, 0, 0}));
  EXPECT_FALSE(all.take("a", huge)) << "it runs alone";
}

TEST(NodeBudget, KeepsWhatIsReserved) {
  node_budget all{{0, 1000 * mb, 0, 0}};
  const media::job_cost small{0, 300 * mb, 0, 0};
  const media::job_cost large{0, 800 * mb, 0, 0};
  EXPECT_TRUE(all.take("a", small));
  EXPECT_TRUE(all.reserve("b", large));
  EXPECT_FALSE(all.reserve("a", small)) << "one at a time";

  EXPECT_FALSE(all.take("a", small));
  EXPECT_EQ(all.fitting("a", small), 0u);
  EXPECT_FALSE(all.take("b", large));
  all.take_anyway("a", small);
  all.give_back("a", small);
  all.give_back("a", small);
  EXPECT_FALSE(all.take("a", small)) << "nor before it, where nothing runs";
  EXPECT_TRUE(all.take("b", large));
  EXPECT_TRUE(all.take("a", {0, 200 * mb, 0, 0})) << "it was taken";

  EXPECT_TRUE(all.reserve("a", large));
  all.forgo("a");
  EXPECT_TRUE(all.reserve("b", large));
  all.reset("b");
  EXPECT_TRUE(all.reserve("a", large));
}

TEST(NodeBudget, ForgetsWhatAPoolHadThatStartsAnew) {
  node_budget all{{1, 0, 0, 0}};
  EXPECT_TRUE(all.take("a", {1, 0, 0, 0}));
  EXPECT_FALSE(all.take("b", {1, 0, 0, 0}));

  all.reset("a");

  EXPECT_TRUE(all.take("b", {1, 0, 0, 0}));
}

TEST(NodeBudget, KeepsTheDiskThatIsLeft) {
  node_budget all{media::job_cost{}};
  all.set_disk(100 * mb);
  EXPECT_TRUE(all.take("a", {0, 0, 80 * mb, 0}));
  EXPECT_FALSE(all.take("a", {0, 0, 80 * mb, 0}));

  all.set_disk(0);

  EXPECT_FALSE(all.take("a", {0, 0, 1, 0}));
  EXPECT_TRUE(all.take("a", {1, 1, 0, 0})) << "it needs none";
}

} // namespace
} // namespace troupe::actors
