#include "media/av/grid.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::media {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

av_extent film(std::int64_t end_ms, std::int64_t bytes = 1000) {
  return {{1, 1000}, 0, end_ms, bytes, 25};
}

std::vector<av_key> keys_at(std::initializer_list<std::int64_t> times) {
  std::vector<av_key> keys;
  for (const auto at : times)
    keys.push_back({at, 0, true});
  return keys;
}

TEST(AvGrid, MergesKeysToFourSecondsAndSplitsTheFirstStretch) {
  const auto grid =
    make_av_grid(film(12'000), keys_at({0, 2000, 4000, 6000, 8000, 10'000}));

  EXPECT_THAT(grid.borders, ElementsAre(0, 1000, 2000, 4000, 8000, 12'000));
  EXPECT_THAT(grid.copy_borders, ElementsAre(0, 3, 4, 5));
  EXPECT_THAT(grid.keys, ElementsAre(0, 0, 2000, 4000, 8000));
  EXPECT_EQ(grid.no_copy, "");
}

TEST(AvGrid, SplitsLongStretchesFromEachKey) {
  const auto grid = make_av_grid(film(20'000), keys_at({0, 10'000}));

  EXPECT_THAT(grid.borders,
              ElementsAre(0, 1000, 2000, 4000, 6000, 10'000, 11'000, 12'000,
                          14'000, 16'000, 20'000));
  EXPECT_THAT(grid.copy_borders, ElementsAre(0, 5, 10));
  EXPECT_THAT(grid.keys, ElementsAre(0, 0, 0, 0, 0, 10'000, 10'000, 10'000,
                                     10'000, 10'000));
}

TEST(AvGrid, EveryCopyBorderIsACleanKey) {
  auto keys = keys_at({0, 5000, 9000, 12'000});
  keys[1].clean = false;

  const auto grid = make_av_grid(film(16'000), keys);

  std::vector<std::int64_t> copied;
  for (const auto at : grid.copy_borders)
    copied.push_back(grid.borders[at]);
  EXPECT_THAT(copied, ElementsAre(0, 9000, 16'000));
}

TEST(AvGrid, DoesNotCopyGroupsOfHalfAMinute) {
  const auto grid = make_av_grid(film(60'000), keys_at({0, 30'000}));

  EXPECT_THAT(grid.no_copy, HasSubstr("12 s"));
  EXPECT_THAT(grid.copy_borders, IsEmpty());
  EXPECT_THAT(grid.borders, testing::Contains(30'000));
}

TEST(AvGrid, DoesNotCopySegmentsOfManyBytes) {
  auto keys = keys_at({0, 4000});
  keys[1].position = 30 << 20;

  EXPECT_THAT(make_av_grid(film(8000, 40 << 20), keys).no_copy,
              HasSubstr("24 MB"));
}

TEST(AvGrid, CutsByTimeWhereNoKeyIsKnown) {
  const auto grid = make_av_grid(film(11'000), {});

  EXPECT_THAT(grid.borders,
              ElementsAre(0, 1000, 2000, 4000, 6000, 10'000, 11'000));
  EXPECT_NE(grid.no_copy, "");
  EXPECT_EQ(grid.keys.size(), grid.borders.size() - 1);
}

TEST(AvGrid, GivesSlowPicturesLongerSegments) {
  auto slow = film(20'000);
  slow.frame_rate = 1;

  EXPECT_THAT(make_av_grid(slow, {}).borders,
              ElementsAre(0, 4000, 8000, 12'000, 16'000, 20'000));
}

TEST(AvGrid, BeginsWhereTheFilmDoesThoughNoKeyIsThere) {
  auto trimmed = film(10'000);
  trimmed.start = 500;

  const auto grid = make_av_grid(trimmed, keys_at({0, 5000}));

  EXPECT_THAT(grid.borders,
              ElementsAre(500, 1500, 2500, 5000, 6000, 7000, 9000, 10'000));
  EXPECT_THAT(grid.keys, ElementsAre(0, 0, 0, 5000, 5000, 5000, 5000));
  EXPECT_THAT(grid.no_copy, HasSubstr("does not begin"));
}

TEST(AvGrid, HasOneSegmentOfWhatHasNoLength) {
  EXPECT_THAT(make_av_grid(film(0), {}).borders, ElementsAre(0, 1));
}

TEST(AvGrid, GoesOnForLongerAudio) {
  std::vector<std::int64_t> borders{0, 4000};

  extend_av_grid(borders, {1, 1000}, 4500);
  EXPECT_THAT(borders, ElementsAre(0, 4000));

  extend_av_grid(borders, {1, 1000}, 13'000);
  EXPECT_THAT(borders, ElementsAre(0, 4000, 8000, 12'000, 13'000));
}

} // namespace
} // namespace troupe::media
