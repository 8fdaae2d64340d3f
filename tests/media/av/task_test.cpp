#include "media/av/task.hpp"

#include <gtest/gtest.h>

namespace troupe::media {
namespace {

TEST(AvTask, CarriesItsOrder) {
  av_order order;
  order.source_key = "film \"1\"";
  order.what = av_what::encode_video;
  order.track = 3;
  order.base = {1, 90'000};
  order.start = -5;
  order.end = 1ll << 40;
  order.video.crf = 22.5;
  order.video.burn_in = 4;
  order.audio.channels = 1;

  const auto read = read_av_order(encode_av_order(order));

  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(*read, order);
}

TEST(AvTask, CarriesAnIndex) {
  av_index index;
  index.container = "mkv";
  index.tracks.resize(2);
  index.tracks[0].codec = "h264";
  index.tracks[0].sample_aspect = 4.0 / 3;
  index.tracks[1].kind = av_kind::audio;
  index.tracks[1].title = "Director’s";
  index.chapters = {{0, 10.5, "One"}};
  index.borders = {0, 1000, 4000};
  index.keys = {0, 0};
  index.copy_borders = {0, 2};
  index.video = 0;
  index.origin_us = 1'400'000;

  const auto read = read_av_index(encode_av_index(index));

  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(*read, index);
}

TEST(AvTask, CarriesItsResult) {
  av_result made;
  made.init = std::string("\0init", 5);
  made.media = std::string(100'000, '\xff');
  made.codecs = "avc1.640028";
  made.frames = 48;
  made.speed = 2.5;
  made.start = 7;

  const auto read = read_av_result(encode_av_result(made));

  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(*read, made);
}

TEST(AvTask, RefusesAResultThatWasCutOrHasMore) {
  av_result made;
  made.init = "abc";
  made.media = "defg";
  const auto text = encode_av_result(made);

  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_FALSE(read_av_result(text.substr(0, size))) << size;
  EXPECT_FALSE(read_av_result(text + "h"));
}

TEST(AvTask, RefusesWhatIsNoOrder) {
  for (const auto* text : {"", "{}", "[]", "7", "{\"source_key\":1}"})
    EXPECT_EQ(read_av_order(text).error().code, errc::bad_params) << text;
}

} // namespace
} // namespace troupe::media
