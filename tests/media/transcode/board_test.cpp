#include "media/transcode/board.hpp"

#include <gtest/gtest.h>

#include <set>

namespace troupe::media {
namespace {

using piece = std::optional<std::size_t>;

TEST(WorkBoard, GivesOneChildAllInOrder) {
  work_board board{{0, 0, 0, 1, 1}};

  piece last;
  for (std::size_t n = 0; n < 5; ++n) {
    last = board.take(last);
    EXPECT_EQ(last, n);
  }

  EXPECT_EQ(board.take(last), std::nullopt);
}

TEST(WorkBoard, LetsASecondChildBeginInTheMiddle) {
  work_board board{std::vector<std::uint32_t>(8)};

  const auto one = board.take({});
  const auto two = board.take({});

  EXPECT_EQ(one, 0u);
  EXPECT_EQ(two, 4u);
  EXPECT_EQ(board.take(one), 1u);
  EXPECT_EQ(board.take(two), 5u);
}

TEST(WorkBoard, GivesEveryPieceOnceToTwo) {
  work_board board{{0, 0, 0, 0, 0, 0, 0, 1, 1, 1}};
  board.skip(2);

  std::set<std::size_t> seen;
  piece taken[2];
  bool busy[2]{true, true};
  while (busy[0] || busy[1])
    for (int i = 0; i < 2; ++i) {
      if (!busy[i])
        continue;
      taken[i] = board.take(taken[i]);
      busy[i] = taken[i].has_value();
      if (busy[i]) {
        EXPECT_TRUE(seen.insert(*taken[i]).second) << *taken[i];
      }
    }

  EXPECT_EQ(seen.size(), 9u);
  EXPECT_FALSE(seen.contains(2));
}

TEST(WorkBoard, GoesOnWhereAnEarlierAttemptEnded) {
  work_board board{std::vector<std::uint32_t>(6)};
  for (const std::size_t done : {0, 1, 2})
    board.skip(done);

  EXPECT_EQ(board.take({}), 3u);
}

} // namespace
} // namespace troupe::media
