#include "actors/pool_scale.hpp"

#include <gtest/gtest.h>

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

class PoolScale : public ::testing::Test {
protected:
  scale_decision look(scale_signals now) {
    time_ += 2s;
    now.now = time_;
    return scale.decide(now);
  }

  /// All slots are busy, and jobs wait.
  scale_decision crowd() {
    return look({.busy = scale.slots(), .queued = 100, .oldest_age_s = 5});
  }

  scale_decision rest() {
    return look({});
  }

  pool_scale scale{{.floor = 2,
                    .ceiling = 8,
                    .grow_after_s = 1,
                    .shrink_after_s = 10,
                    .max_cpu = 0.9,
                    .min_memory = 0.05,
                    .min_disk = 0.02}};

private:
  std::chrono::steady_clock::time_point time_{1h};
};

TEST_F(PoolScale, GoesFromTheFloorToTheCeilingAndBack) {
  std::vector<std::uint32_t> seen{scale.slots()};
  for (int i = 0; i < 5; ++i)
    seen.push_back(crowd().slots);
  EXPECT_EQ(seen, (std::vector<std::uint32_t>{2, 3, 4, 6, 8, 8}));
  EXPECT_EQ(crowd().reason, scale_reason::ceiling);

  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(rest().slots, 8u) << "a short pause costs nothing";
  seen.clear();
  for (int i = 0; i < 5; ++i)
    seen.push_back(rest().slots);

  EXPECT_EQ(seen, (std::vector<std::uint32_t>{5, 4, 3, 2, 2}));
}

TEST_F(PoolScale, DoesNotGrowForJobsThatJustCame) {
  EXPECT_EQ(look({.busy = 2, .queued = 9, .oldest_age_s = 0.5}),
            (scale_decision{2, false, scale_reason::steady}));
}

TEST_F(PoolScale, DoesNotGrowWhileSlotsAreFree) {
  EXPECT_EQ(look({.busy = 1, .queued = 9, .oldest_age_s = 60}).slots, 2u)
    << "something else keeps them waiting";
}

TEST_F(PoolScale, DoesNotGrowOnABusyMachine) {
  EXPECT_EQ(look({.busy = 2, .queued = 9, .oldest_age_s = 60, .cpu = 0.95}),
            (scale_decision{2, false, scale_reason::cpu}));
}

TEST_F(PoolScale, KeepsWhatIsInUse) {
  for (int i = 0; i < 5; ++i)
    (void)crowd();

  scale_decision now;
  for (int i = 0; i < 20; ++i)
    now = look({.busy = 4});

  EXPECT_EQ(now.slots, 6u) << "half of it is in use from there on";
}

TEST_F(PoolScale, StopsForWantOfMemoryUntilThereIsHalfAsMuchMore) {
  EXPECT_EQ(look({.memory = 0.04}),
            (scale_decision{2, true, scale_reason::low_memory}));
  EXPECT_TRUE(look({.memory = 0.06}).held);
  EXPECT_EQ(look({.memory = 0.08}),
            (scale_decision{2, false, scale_reason::recovered}));
  EXPECT_FALSE(look({.memory = 0.06}).held);
}

TEST_F(PoolScale, StopsForWantOfDisk) {
  EXPECT_EQ(look({.disk = 0.01}),
            (scale_decision{2, true, scale_reason::low_disk}));
  EXPECT_TRUE(look({.disk = 0.025}).held);
  EXPECT_FALSE(look({.disk = 0.04}).held);
}

TEST(PoolScaleLimits, PutAFloorAboveTheCeilingDown) {
  pool_scale none{{.floor = 4, .ceiling = 0}};

  EXPECT_EQ(none.slots(), 0u);
  EXPECT_EQ(none.decide({.queued = 5, .oldest_age_s = 9}).slots, 0u);
}

} // namespace
} // namespace troupe::actors
