#include "actors/overload_guard.hpp"

#include <gtest/gtest.h>

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

class OverloadGuard : public ::testing::Test {
protected:
  void look(std::uint64_t queued, double oldest_s) {
    store::queue_depth depth;
    depth.queue = "bulk";
    depth.by_state[static_cast<std::size_t>(store::job_state::queued)] = queued;
    depth.oldest_age_ms = static_cast<std::int64_t>(oldest_s * 1000);
    guard.look(std::vector{depth}, now);
  }

  /// So many attempts a second have ended for ten seconds.
  void work(int per_s) {
    for (int s = 0; s < 10; ++s) {
      now += 1s;
      for (int i = 0; i < per_s; ++i)
        guard.note_end("bulk", now);
    }
  }

  overload_guard guard{{.max_age_s = 10, .max_depth = 1000}};
  overload_guard::clock::time_point now{1h};
};

TEST_F(OverloadGuard, RefusesNothingWithoutLimits) {
  overload_guard none;

  EXPECT_FALSE(none.wants_look(now));
  EXPECT_EQ(none.refuse("bulk", 1'000'000, now), 0u);
}

TEST_F(OverloadGuard, LooksAgainWhenItsFiguresAreOld) {
  EXPECT_TRUE(guard.wants_look(now));
  look(0, 0);
  EXPECT_FALSE(guard.wants_look(now));
  EXPECT_TRUE(guard.wants_look(now + 1s));
}

TEST_F(OverloadGuard, RefusesWhatAQueueHasNoRoomFor) {
  look(998, 0);

  EXPECT_EQ(guard.refuse("bulk", 1, now), 0u);
  EXPECT_GT(guard.refuse("bulk", 2, now), 0u) << "all or none";
  EXPECT_EQ(guard.refuse("bulk", 1, now), 0u);
  EXPECT_GT(guard.refuse("bulk", 1, now), 0u);
  EXPECT_EQ(guard.refuse("video", 1, now), 0u) << "another queue";
}

TEST_F(OverloadGuard, LetsInWhatSomebodyWaitsForUnlessItIsAFlood) {
  look(5, 11);
  EXPECT_GT(guard.refuse("bulk", 1, now), 0u);

  int let_in = 0;
  while (let_in < 1000 && guard.refuse("bulk", 1, now, true) == 0)
    ++let_in;
  EXPECT_EQ(let_in, 64);
  look(5, 11);
  EXPECT_EQ(guard.refuse("bulk", 1, now, true), 0u);

  look(1000, 0);
  EXPECT_GT(guard.refuse("bulk", 1, now, true), 0u) << "there is no room";
}

TEST_F(OverloadGuard, RefusesWhileTheOldestJobHasWaitedTooLong) {
  look(5, 11);
  EXPECT_GT(guard.refuse("bulk", 1, now), 0u);

  look(5, 9);
  EXPECT_EQ(guard.refuse("bulk", 1, now), 0u);
}

TEST_F(OverloadGuard, RefusesWhatWouldWaitTooLong) {
  work(20);

  look(190, 4);
  EXPECT_EQ(guard.refuse("bulk", 1, now), 0u);
  look(260, 4);
  EXPECT_EQ(guard.refuse("bulk", 1, now), 4u) << "until ten seconds' are left";
}

TEST_F(OverloadGuard, TrustsAQueueThatNobodyWaitsIn) {
  work(1);
  look(900, 0);

  EXPECT_EQ(guard.refuse("bulk", 1, now), 0u);
}

} // namespace
} // namespace troupe::actors
