#include "tests/media/stream/stream_fixture.hpp"

#include "media/errc.hpp"

#include <gmock/gmock.h>

namespace troupe::media {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(PlanTest, CopiesWhatTheClientPlaysAndOffersLess) {
  const auto plan = plan_of({}).value();

  EXPECT_EQ(plan->video.front()->name, "copy");
  EXPECT_EQ(plan->mode, stream_mode::remux);
  EXPECT_GT(plan->video.size(), 1u);
  for (std::size_t i = 1; i < plan->video.size(); ++i)
    EXPECT_LT(plan->video[i]->bandwidth, plan->video.front()->bandwidth);
  EXPECT_THAT(names_of(plan->audio), ElementsAre("ac1", "ac2"));
  EXPECT_THAT(names_of(plan->text), ElementsAre("s3"));
}

TEST(PlanTest, EncodesWhatTheClientDoesNotPlay) {
  stream_wish wish;
  wish.client.video = {"vp09.00.40.08"};
  wish.client.audio = {"opus"};
  const auto plan = plan_of(wish).value();

  EXPECT_EQ(plan->mode, stream_mode::transcode);
  EXPECT_FALSE(plan->why_not_copied.empty());
  for (const auto& each : plan->video)
    EXPECT_EQ(each->what, av_what::encode_video);
  EXPECT_THAT(names_of(plan->audio), ElementsAre("a1", "a2"));
}

TEST(PlanTest, KeepsToWhatWasAskedFor) {
  stream_wish wish;
  wish.max_height = 480;
  const auto plan = plan_of(wish).value();

  ASSERT_FALSE(plan->video.empty());
  for (const auto& each : plan->video)
    EXPECT_LE(each->height, 480u);
}

TEST(PlanTest, RefusesToRemuxWhatCannotBeCopied) {
  stream_wish wish;
  wish.mode = stream_mode::remux;
  auto index = film();
  index.no_copy = "its groups of pictures are too long";
  index.copy_borders.clear();

  const auto plan = plan_of(wish, index);

  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, errc::bad_params);
}

TEST(PlanTest, OffersTheSmallestHoweverSlowWhereThereIsNoOther) {
  stream_wish wish;
  wish.mode = stream_mode::transcode;
  const auto slow = plan_of(wish, film(), 0.5).value();
  const auto copied = plan_of({}, film(), 0.5).value();

  EXPECT_EQ(slow->video.size(), 1u);
  EXPECT_THAT(names_of(copied->video), ElementsAre("copy"));
}

TEST(PlanTest, RefusesSubtitlesThatArePictures) {
  stream_wish wish;
  wish.subtitle = 1;
  EXPECT_EQ(plan_of(wish).error().code, errc::bad_params);
}

TEST(PlanTest, ChoosesOneAudioTrackIfOneIsWishedFor) {
  stream_wish wish;
  wish.audio = 1;
  EXPECT_THAT(names_of(plan_of(wish).value()->audio), ElementsAre("ac2"));
  wish.audio = 2;
  EXPECT_EQ(plan_of(wish).error().code, errc::bad_params);
}

TEST(PlanTest, PlaysAudioAlone) {
  auto index = film();
  index.tracks.erase(index.tracks.begin());
  index.video = -1;
  index.video_segments = 0;
  index.copy_borders.clear();

  const auto plan = plan_of({}, index).value();

  EXPECT_THAT(plan->video, IsEmpty());
  EXPECT_EQ(plan->audio.size(), 2u);
}

TEST(PlanTest, TellsApartWhateverChangesASegment) {
  const auto one = plan_of({}).value();
  const auto same = plan_of({}).value();
  const auto other =
    make_plan({}, some_source("other"), std::make_shared<av_index>(film()),
              usual_speed, 0)
      .value();
  auto cut_anew = film();
  cut_anew.borders[1] = 1500;
  const auto moved = plan_of({}, cut_anew).value();

  EXPECT_EQ(one->find("copy")->key, same->find("copy")->key);
  EXPECT_NE(one->find("copy")->key, other->find("copy")->key);
  EXPECT_NE(one->find("copy")->key, moved->find("copy")->key);
  EXPECT_NE(one->find("ac1")->key, one->find("ac2")->key);
  EXPECT_NE(one->find("copy")->segment_key(0),
            one->find("copy")->segment_key(1));
}

TEST(LineTest, KnowsItsSegmentsByTime) {
  const auto plan = plan_of({}).value();
  const auto copy = plan->find("copy");
  const auto audio = plan->find("ac1");

  EXPECT_EQ(copy->segments(), 4u);
  EXPECT_EQ(audio->segments(), 12u);
  EXPECT_DOUBLE_EQ(copy->begin_s(1), 4);
  EXPECT_EQ(copy->at(3.999), 0u);
  EXPECT_EQ(copy->at(4), 1u);
  EXPECT_EQ(copy->at(1000), 3u);
  EXPECT_EQ(audio->at(-1), 0u);
}

TEST(LineTest, OrdersWhatLiesBetweenItsBorders) {
  stream_wish wish;
  wish.mode = stream_mode::transcode;
  const auto encoded = plan_of(wish).value()->video.front();
  const auto copy = plan_of({}).value()->find("copy");

  const auto fifth = encoded->order(5);
  EXPECT_EQ(fifth.what, av_what::encode_video);
  EXPECT_EQ(fifth.start, 6000);
  EXPECT_EQ(fifth.end, 8000);
  EXPECT_EQ(fifth.key, 4000);
  EXPECT_EQ(fifth.sequence, 5u);
  EXPECT_FALSE(fifth.last);
  EXPECT_TRUE(encoded->order(11).last);
  const auto second = copy->order(1);
  EXPECT_EQ(second.start, 4000);
  EXPECT_EQ(second.end, 10000);
  EXPECT_EQ(second.key, 4000);
}

TEST(WishTest, ComesBackFromItsRecord) {
  stream_wish wish;
  wish.source = "local:///a \"b\".mkv";
  wish.mode = stream_mode::transcode;
  wish.max_height = 720;
  wish.max_bitrate = 3'000'000;
  wish.audio = 1;
  wish.start_s = 12.5;
  wish.priority = 9;
  wish.client = {{"hvc1.1.6.L93.B0"}, {"ec-3"}, true};

  EXPECT_EQ(read_wish(encode_wish(wish)).value(), wish);
  EXPECT_EQ(read_wish(encode_wish({})).value(), stream_wish{});
  EXPECT_FALSE(read_wish("{\"source\":1}"));
  EXPECT_FALSE(read_wish("nonsense"));
}

} // namespace
} // namespace troupe::media
