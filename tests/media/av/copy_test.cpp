#include "tests/media/av/films_fixture.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace troupe::media {
namespace {

using testing::HasSubstr;

TEST_F(Films, TellWhatTheyAreAndWhereTheyCanBeCut) {
  usual_film("film.mp4");

  const auto index = index_of("film.mp4");

  EXPECT_EQ(index.container, "mp4");
  EXPECT_NEAR(index.duration_s, 12, 0.05);
  EXPECT_EQ(index.no_copy, "");
  EXPECT_TRUE(index.indexed);
  const auto& video = track_of(index, av_kind::video);
  EXPECT_EQ(video.codec, "h264");
  EXPECT_THAT(video.codecs, HasSubstr("avc1.6400"));
  EXPECT_EQ(video.pixel_format, "yuv420p");
  EXPECT_EQ(video.width, 320u);
  EXPECT_NEAR(video.frame_rate, 25, 0.01);
  EXPECT_FALSE(video.interlaced);
  const auto& audio = track_of(index, av_kind::audio);
  EXPECT_EQ(audio.codecs, "mp4a.40.2");
  EXPECT_EQ(audio.channels, 2u);
  EXPECT_EQ(audio.sample_rate, 48'000u);
  std::vector<double> copied;
  for (const auto at : index.copy_borders)
    copied.push_back(index.seconds(index.borders[at]));
  // Keys at 0, 0.9, 3.3, 5.1, 7.9 (a group is 70 frames at most), 9.5.
  ASSERT_EQ(copied.size(), 4u);
  EXPECT_NEAR(copied[1], 5.12, 0.1);
  EXPECT_NEAR(copied[2], 9.5, 0.1);
}

TEST_F(Films, AreCutAlikeInMatroskaAndMp4) {
  usual_film("film.mp4");
  ffmpeg("-i film.mp4 -c copy film.mkv");

  const auto mp4 = index_of("film.mp4");
  const auto mkv = index_of("film.mkv");

  EXPECT_EQ(mkv.container, "mkv");
  ASSERT_EQ(mp4.borders.size(), mkv.borders.size());
  EXPECT_EQ(mp4.copy_borders, mkv.copy_borders);
  for (std::size_t i = 0; i + 1 < mp4.borders.size(); ++i)
    EXPECT_NEAR(mp4.seconds(mp4.borders[i] - mp4.borders[0]),
                mkv.seconds(mkv.borders[i] - mkv.borders[0]), 0.002)
      << i;
}

class CopiedFilms : public Films,
                    public testing::WithParamInterface<const char*> {};

TEST_P(CopiedFilms, HaveEachFrameOnceAndInTime) {
  usual_film("film.mp4");
  const std::string name = std::string{"of."} + GetParam();
  ffmpeg("-i film.mp4 -c copy " + name);
  const auto index = index_of(name);

  const auto video = join(make_all(index, av_what::copy_video, name), "v.mp4");
  const auto audio = join(make_all(index, av_what::copy_audio, name), "a.mp4");

  expect_same(frames_of(video), frames_of(name));
  auto heard = frames_of(name, "a");
  // What encoders put before time 0 is not carried over.
  std::erase_if(heard, [](const auto& each) { return each.time_s < -0.001; });
  const auto got = frames_of(audio, "a");
  ASSERT_NEAR(static_cast<double>(got.size()),
              static_cast<double>(heard.size()), 1);
  for (std::size_t i = 2; i < std::min(got.size(), heard.size()) - 1; ++i) {
    ASSERT_NEAR(got[i].time_s, heard[i].time_s, 0.0011) << i;
  }
}

TEST_P(CopiedFilms, HaveTheSameSegmentsInAnyOrder) {
  usual_film("film.mp4");
  const std::string name = std::string{"of."} + GetParam();
  ffmpeg("-i film.mp4 -c copy " + name);
  const auto index = index_of(name);
  for (const auto what : {av_what::copy_video, av_what::copy_audio}) {
    const auto in_order = make_all(index, what, name);

    for (auto n = in_order.size(); n-- > 0;) {
      renew_child();
      EXPECT_EQ(make(order_of(index, what, n), name).media, in_order[n].media)
        << n;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Of, CopiedFilms, testing::Values("mp4", "mkv"));

TEST_F(Films, AreCopiedByAskingForBytes) {
  usual_film("film.mkv");
  const auto index = index_of("film.mkv");
  const auto order = order_of(index, av_what::copy_video, 1);
  const auto wanted = make(order, "film.mkv");
  renew_child();
  const auto source =
    std::make_shared<film_source>(content_of(folder_.path() / "film.mkv"));

  const auto end = run(av_task(order, {}, source));

  ASSERT_EQ(end.code, errc::none) << end.message;
  EXPECT_TRUE(read_av_result(end.result)->media == wanted.media);
  EXPECT_GT(source->reads, 0);
}

TEST_F(Films, WithOpenGroupsAreNotCutThere) {
  film("-c:v libx265 -preset ultrafast -x265-params "
       "log-level=none:keyint=50:min-keyint=50:open-gop=1:bframes=3:scenecut=0 "
       "-tag:v hvc1 -an open.mp4",
       16);

  const auto index = index_of("open.mp4");

  EXPECT_EQ(index.copy_borders.size(), 0u);
  EXPECT_THAT(index.no_copy, HasSubstr("12 s"));
}

TEST_F(Films, OfHevcAreCopiedAsHvc1) {
  film("-c:v libx265 -preset ultrafast -x265-params "
       "log-level=none:keyint=50:min-keyint=50:open-gop=0:bframes=3 "
       "-c:a aac -tag:v hev1 film.mp4");
  const auto index = index_of("film.mp4");

  const auto made = make_all(index, av_what::copy_video, "film.mp4");

  EXPECT_THAT(made.front().init, HasSubstr("hvc1"));
  expect_same(frames_of(join(made, "v.mp4")), frames_of("film.mp4"));
}

TEST_F(Films, ThatWereTrimmedAreNotCopied) {
  usual_film("film.mp4");
  ffmpeg("-ss 2 -i film.mp4 -c copy trimmed.mp4");

  const auto index = index_of("trimmed.mp4");

  EXPECT_THAT(index.no_copy, HasSubstr("edit list"));
}

TEST_F(Films, KeepTheirAudioOfOtherKinds) {
  for (const std::string codec : {"ac3", "eac3", "libopus", "flac"}) {
    const auto name = codec + ".mkv";
    film("-c:v libx264 -preset ultrafast -g 50 -c:a " + codec + " " + name);
    const auto index = index_of(name);
    const auto all = make_all(index, av_what::copy_audio, name);

    const auto got = frames_of(join(all, codec + ".mp4"), "a");

    const auto wanted = frames_of(name, "a");
    EXPECT_NEAR(static_cast<double>(got.size()),
                static_cast<double>(wanted.size()), 1)
      << codec;
    EXPECT_NE(all.front().codecs, "") << codec;
  }
}

TEST_F(Films, AreCopiedOutOfATransportStreamThatWasScanned) {
  usual_film("film.mp4");
  ffmpeg("-i film.mp4 -c copy film.ts");
  const auto index = index_of("film.ts", true);
  EXPECT_EQ(index.no_copy, "");

  const auto video =
    join(make_all(index, av_what::copy_video, "film.ts"), "v.mp4");

  auto wanted = frames_of("film.ts");
  for (auto& each : wanted)
    each.time_s -= static_cast<double>(index.origin_us) / 1e6;
  expect_same(frames_of(video), wanted);
}

} // namespace
} // namespace troupe::media
