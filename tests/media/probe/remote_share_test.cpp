#include "media/probe/remote_share.hpp"

#include <gtest/gtest.h>

namespace troupe::media {
namespace {

using namespace std::chrono_literals;

TEST(RemoteShare, HasSoManyPlacesForEachKindUntilTheyAreDropped) {
  remote_share share{2, 1};
  auto first = share.take(false);
  const auto second = share.take(false);
  const auto waited_for = share.take(true);

  EXPECT_TRUE(first && second && waited_for);
  EXPECT_FALSE(share.take(false));
  EXPECT_FALSE(share.take(true));
  first.reset();

  EXPECT_TRUE(share.take(false));
  EXPECT_FALSE(share.take(true));
}

TEST(RemoteShare, SpreadsOutWhoAsksAgainUpToAMinute) {
  remote_share share{1, 1};
  const remote_share::clock::time_point now{1h};

  EXPECT_DOUBLE_EQ(share.next_turn(now), 2);
  EXPECT_DOUBLE_EQ(share.next_turn(now), 2.1);
  for (int i = 0; i < 1000; ++i)
    EXPECT_LE(share.next_turn(now), 60);
  EXPECT_DOUBLE_EQ(share.next_turn(now), 60);
  EXPECT_DOUBLE_EQ(share.next_turn(now + 2h), 2);
}

} // namespace
} // namespace troupe::media
