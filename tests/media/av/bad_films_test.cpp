#include "tests/media/av/films_fixture.hpp"

#include <gmock/gmock.h>

namespace troupe::media {
namespace {

using testing::AnyOf;
using testing::Eq;
using testing::HasSubstr;

TEST_F(Films, ThatAreNoneAreRefused) {
  write(folder_.path() / "empty.mp4", "");
  write(folder_.path() / "text.mp4", "this is no film at all");
  write(folder_.path() / "list.mp4",
        "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile:///etc/passwd\n");

  for (const auto* name : {"empty.mp4", "text.mp4", "list.mp4"})
    EXPECT_EQ(index_fails(name), errc::invalid_media) << name;
}

TEST_F(Films, ThatWereCutShortPlayUpToThere) {
  usual_film("film.mp4");
  ffmpeg("-i film.mp4 -c copy -movflags faststart whole.mp4");
  const auto bytes = content_of(folder_.path() / "whole.mp4");
  write(folder_.path() / "cut.mp4", bytes.substr(0, bytes.size() / 2));
  const auto index = index_of("cut.mp4");

  EXPECT_LT(index.duration_s, 9);
  EXPECT_GT(index.duration_s, 3);
  const auto video =
    join(make_all(index, av_what::encode_video, "cut.mp4"), "v.mp4");
  EXPECT_NEAR(static_cast<double>(frames_of(video).size()),
              index.duration_s * 25, 2);
}

TEST_F(Films, ThatLoseTheirEndWhileTheyAreStreamedSaySo) {
  usual_film("film.mp4");
  ffmpeg("-i film.mp4 -c copy -movflags faststart whole.mp4");
  const auto index = index_of("whole.mp4");
  const auto bytes = content_of(folder_.path() / "whole.mp4");
  write(folder_.path() / "cut.mp4", bytes.substr(0, bytes.size() / 4));

  const auto copied = run(order_of(index, av_what::copy_video,
                                   count_of(index, av_what::copy_video) - 1),
                          "cut.mp4");

  EXPECT_THAT(copied.code,
              AnyOf(Eq(errc::source_changed), Eq(errc::invalid_media)))
    << copied.message;
}

TEST_F(Films, WithoutAnIndexPlayByTime) {
  usual_film("film.mp4");
  ffmpeg("-i film.mp4 -c copy film.ts");
  auto index = index_of("film.ts");
  // As a file too large to be scanned has it.
  index.indexed = false;
  for (std::size_t n = 0; n < index.keys.size(); ++n)
    index.keys[n] = index.borders[n];

  const auto video =
    join(make_all(index, av_what::encode_video, "film.ts"), "v.mp4");

  auto wanted = frames_of("film.ts");
  for (auto& each : wanted)
    each.time_s -= static_cast<double>(index.origin_us) / 1e6;
  expect_same(frames_of(video), wanted, 0.0011, false);
}

TEST_F(Films, ThatClaimToLastForDaysAreRefused) {
  usual_film("film.mkv");
  auto bytes = content_of(folder_.path() / "film.mkv");
  // Matroska's Duration: a float of 8 bytes, in milliseconds.
  const auto at = bytes.find(std::string{"\x44\x89\x88", 3});
  ASSERT_NE(at, bytes.npos);
  bytes.replace(at + 3, 8, std::string{"\x42\x6d\x1a\x94\xa2\0\0\0", 8});
  write(folder_.path() / "days.mkv", bytes);

  EXPECT_EQ(index_fails("days.mkv"), errc::invalid_media);
}

TEST_F(Films, RefuseOrdersThatMakeNoSense) {
  usual_film("film.mp4");
  const auto index = index_of("film.mp4");
  const auto good = order_of(index, av_what::encode_video, 0);
  auto other_track = good;
  other_track.track = 77;
  auto sound = good;
  sound.track = track_of(index, av_kind::audio).number;
  auto backwards = good;
  backwards.end = good.start - 1;
  auto huge = good;
  huge.video.width = 1'000'000;
  auto burnt = good;
  burnt.video.burn_in = 2;

  for (const auto& each : {other_track, sound, backwards, huge, burnt})
    EXPECT_EQ(run(each, "film.mp4").code, errc::bad_params);
}

TEST_F(Films, ThatAreBrokenEndWithACode) {
  usual_film("film.mkv");
  const auto whole = content_of(folder_.path() / "film.mkv");
  for (unsigned seed = 1; seed <= 12; ++seed) {
    auto bytes = whole;
    std::uint32_t grain = seed * 2'654'435'761u;
    for (int i = 0; i < 200; ++i) {
      grain = grain * 1'664'525 + 1'013'904'223;
      bytes[grain % bytes.size()] = static_cast<char>(grain >> 24);
    }
    const auto name = "broken" + std::to_string(seed) + ".mkv";
    write(folder_.path() / name, bytes);
    const auto said = run(av_order{}, name);
    ASSERT_THAT(said.code, AnyOf(Eq(errc::none), Eq(errc::invalid_media)))
      << name << ": " << said.message;
    const auto index = read_av_index(said.result);
    if (!index || index->video < 0)
      continue;
    for (std::size_t n = 0; n < index->video_segments; ++n) {
      const auto end = run(order_of(*index, av_what::encode_video, n), name);
      EXPECT_THAT(end.code, AnyOf(Eq(errc::none), Eq(errc::invalid_media)))
        << name << ' ' << n << ": " << end.message;
    }
  }
}

TEST_F(Films, WithFramesFarApartHaveNoEmptySegment) {
  film("-c:v libx264 -preset ultrafast -vf \"select='lt(t,1)+gt(t,9)'\" -vsync "
       "vfr "
       "-c:a aac gap.mkv");
  const auto index = index_of("gap.mkv");

  const auto all = make_all(index, av_what::encode_video, "gap.mkv");

  ASSERT_GT(all.size(), 3u);
  for (const auto& each : all)
    EXPECT_GT(each.frames, 0u);
}

TEST_F(Films, OfAFrameASecondPlay) {
  film("-c:v libx264 -preset veryfast -c:a aac slow.mp4", 20, "320x180", 1);
  const auto index = index_of("slow.mp4");

  const auto video =
    join(make_all(index, av_what::encode_video, "slow.mp4"), "v.mp4");

  expect_same(frames_of(video), frames_of("slow.mp4"), 0.0011, false);
}

TEST_F(Films, OfManyFramesASecondPlay) {
  film("-c:v libx264 -preset ultrafast -bf 3 -c:a aac fast.mkv", 4, "320x180",
       240);
  const auto index = index_of("fast.mkv");

  const auto video =
    join(make_all(index, av_what::encode_video, "fast.mkv"), "v.mp4");

  expect_same(frames_of(video), frames_of("fast.mkv"), 0.0011, false);
}

TEST_F(Films, OfOddSizesAndTurnedAndStretchedAreShownRight) {
  film("-c:v libx264 -preset ultrafast -vf scale=321:181 -pix_fmt yuv444p -c:a "
       "aac "
       "odd.mkv",
       2);
  film("-c:v libx264 -preset ultrafast -c:a aac flat.mp4", 2);
  ffmpeg("-i flat.mp4 -c copy -metadata:s:v rotate=90 turned.mp4");
  film("-c:v mpeg2video -vf setsar=16/11 -c:a mp2 wide.mpg", 2, "352x288");

  const auto size_of = [this](const std::string& name) {
    const auto index = index_of(name);
    join({make(order_of(index, av_what::encode_video, 0), name)}, "v.mp4");
    return text_of("ffprobe -v error -show_entries stream=width,height -of "
                   "csv=p=0 v.mp4");
  };

  EXPECT_THAT(size_of("odd.mkv"), HasSubstr("322,182"));
  EXPECT_THAT(size_of("turned.mp4"), HasSubstr("180,320"));
  EXPECT_THAT(size_of("wide.mpg"), HasSubstr("512,288"));
  EXPECT_THAT(index_of("turned.mp4").no_copy, HasSubstr("turned"));
}

TEST_F(Films, WithThousandsOfStreamsTellOfSome) {
  std::string words = "-f lavfi -i sine=duration=0.2 ";
  for (int i = 0; i < 300; ++i)
    words += "-map 0 ";
  ffmpeg(words + "-c:a pcm_s16le many.mkv");

  EXPECT_LE(index_of("many.mkv").tracks.size(), 64u);
}

} // namespace
} // namespace troupe::media
