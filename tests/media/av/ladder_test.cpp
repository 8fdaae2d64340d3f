#include "media/av/codec_names.hpp"
#include "media/av/ladder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::media {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

av_track picture(std::uint32_t width, std::uint32_t height) {
  av_track track;
  track.codec = "h264";
  track.codecs = "avc1.640028";
  track.width = width;
  track.height = height;
  track.frame_rate = 25;
  return track;
}

std::vector<std::uint32_t> heights(const std::vector<av_rung>& rungs) {
  std::vector<std::uint32_t> all;
  for (const auto& each : rungs)
    all.push_back(each.height);
  return all;
}

TEST(AvLadder, OffersWhatIsNoLargerThanTheSource) {
  EXPECT_THAT(heights(av_ladder(picture(3840, 2160))),
              ElementsAre(1080, 720, 480, 360));
  EXPECT_THAT(heights(av_ladder(picture(1920, 1080))),
              ElementsAre(1080, 720, 480, 360));
  EXPECT_THAT(heights(av_ladder(picture(1280, 720))),
              ElementsAre(720, 480, 360));
  EXPECT_THAT(heights(av_ladder(picture(320, 240))), ElementsAre(240));
}

TEST(AvLadder, IsCappedByHeightAndBitrate) {
  EXPECT_THAT(heights(av_ladder(picture(1920, 1080), 720)),
              ElementsAre(720, 480, 360));
  EXPECT_THAT(heights(av_ladder(picture(1920, 1080), 0, 2'000'000)),
              ElementsAre(480, 360));
  EXPECT_THAT(heights(av_ladder(picture(1920, 1080), 0, 1000)),
              ElementsAre(360));
  EXPECT_THAT(heights(av_ladder(picture(1920, 1080), 200)), ElementsAre(200));
}

TEST(AvLadder, GivesAnOddSizeTheRateOfTheNextStep) {
  EXPECT_EQ(av_ladder(picture(320, 180), 144).at(0).maxrate, 800'000u);
  EXPECT_EQ(av_ladder(picture(320, 240), 300).at(0).maxrate, 800'000u);
  EXPECT_EQ(av_ladder(picture(1920, 1080), 200).at(0).maxrate, 800'000u);
  EXPECT_EQ(av_ladder(picture(1422, 800), 800).at(0).maxrate, 6'000'000u);
  EXPECT_THAT(heights(av_ladder(picture(320, 180), 179)), ElementsAre(178));
}

TEST(AvLadder, KeepsTheShapeThatIsShown) {
  const auto wide = av_ladder(picture(1920, 804)).at(1);
  EXPECT_EQ(wide.width, 1280u);
  EXPECT_EQ(wide.height, 536u);

  auto phone = picture(1920, 1080);
  phone.rotation = 90;
  const auto upright = av_ladder(phone).front();
  EXPECT_EQ(upright.width, 608u);
  EXPECT_EQ(upright.height, 1080u);

  auto dvd = picture(720, 576);
  dvd.sample_aspect = 64 / 45.0;
  EXPECT_EQ(av_ladder(dvd).front().width, 1024u);
}

TEST(AvLadder, HasEvenSides) {
  for (const auto& rung : av_ladder(picture(1277, 719))) {
    EXPECT_EQ(rung.width % 2, 0u);
    EXPECT_EQ(rung.height % 2, 0u);
  }
}

TEST(AvLadder, NamesTheLevelThatItsFramesNeed) {
  EXPECT_EQ(av_ladder(picture(1920, 1080)).front().codecs, "avc1.640028");
  auto fast = picture(1920, 1080);
  fast.frame_rate = 60;
  EXPECT_EQ(av_ladder(fast).front().codecs, "avc1.64002A");
}

TEST(AvCopy, IsWhatTheClientPlays) {
  av_index index;
  index.tracks = {picture(1920, 1080)};
  index.video = 0;

  EXPECT_EQ(why_no_video_copy(index, {}), "");
  EXPECT_THAT(why_no_video_copy(index, {{"avc1.42001E"}, {}, false}),
              HasSubstr("avc1.640028"));
  index.tracks[0].hdr = "hdr10";
  EXPECT_THAT(why_no_video_copy(index, {}), HasSubstr("HDR"));
  index.tracks[0].codec = "mpeg2video";
  EXPECT_THAT(why_no_video_copy(index, {}), HasSubstr("mpeg2video"));
  index.no_copy = "it is turned";
  EXPECT_EQ(why_no_video_copy(index, {}), "it is turned");
  index.video = 9;
  EXPECT_THAT(why_no_video_copy(index, {}), HasSubstr("no video"));
}

TEST(AvCopy, OfAudioIsTheSame) {
  av_track track;
  track.codec = "aac";
  track.codecs = "mp4a.40.2";
  EXPECT_EQ(why_no_audio_copy(track, {}), "");
  track.codecs = "mp4a.40.5";
  EXPECT_NE(why_no_audio_copy(track, {}), "");
  track.codec = "dts";
  EXPECT_THAT(why_no_audio_copy(track, {}), HasSubstr("dts"));
}

TEST(CodecNames, IncludeLowerOnesOfTheSameKind) {
  EXPECT_TRUE(plays("avc1.640028", "avc1.4D401F"));
  EXPECT_FALSE(plays("avc1.4D401F", "avc1.640028"));
  EXPECT_FALSE(plays("avc1.640028", "avc1.6E0028"));
  EXPECT_TRUE(plays("avc1", "avc1.6E0028"));
  EXPECT_TRUE(plays("hvc1.1.6.L150.B0", "hev1.1.6.L120.90"));
  EXPECT_FALSE(plays("hvc1.1.6.L150.B0", "hvc1.2.4.L120.B0"));
  EXPECT_FALSE(plays("hvc1.1.6.L150.B0", "hvc1.1.6.H120.B0"));
  EXPECT_TRUE(plays("av01.0.08M.08", "av01.0.05M.08"));
  EXPECT_FALSE(plays("av01.0.08M.08", "av01.0.05M.10"));
  EXPECT_TRUE(plays("vp09.00.40.08", "vp9"));
  EXPECT_FALSE(plays("vp09.00.40.08", "vp09.02.10.10"));
  EXPECT_TRUE(plays("opus", "opus"));
  EXPECT_FALSE(plays("mp4a.40.2", "ac-3"));
  EXPECT_FALSE(plays("avc1.640028", ""));
  EXPECT_FALSE(plays("", "avc1.640028"));
  EXPECT_FALSE(plays("avc1.x", "avc1.640028"));
}

} // namespace
} // namespace troupe::media
