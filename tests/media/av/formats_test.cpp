#include "tests/media/av/films_fixture.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <cstring>

namespace troupe::media {
namespace {

using testing::HasSubstr;

/// How the command line makes a film, and what of it is the same afterwards.
struct format {
  const char* name;
  const char* how;
  /// Of H.264, HEVC, AV1 and VP9, whose keys can be entered.
  bool copied;
  double seconds = 12;
};

class FilmFormats : public Films, public testing::WithParamInterface<format> {};

TEST_P(FilmFormats, PlayEachFrameOnce) {
  const auto& [name, how, copied, seconds] = GetParam();
  const std::string file = name;
  film(how + (" " + file), seconds);
  const auto index = index_of(file, true);

  const auto made = join(make_all(index, av_what::encode_video, file), "v.mp4");
  const auto heard =
    join(make_all(index, av_what::encode_audio, file), "a.mp4");

  auto wanted = frames_of(file);
  for (auto& each : wanted)
    each.time_s -= static_cast<double>(index.origin_us) / 1e6;
  expect_same(frames_of(made), wanted, 0.0011, false);
  EXPECT_NEAR(static_cast<double>(frames_of(heard, "a").size()),
              index.duration_s * 48'000 / 1024, 3);
  const av_client any{{"avc1", "hvc1", "av01", "vp9"}, {}, true};
  EXPECT_EQ(why_no_video_copy(index, any) == "", copied) << index.no_copy;
  if (copied) {
    expect_same(
      frames_of(join(make_all(index, av_what::copy_video, file), "c.mp4")),
      wanted);
  }
}

INSTANTIATE_TEST_SUITE_P(
  Of, FilmFormats,
  testing::Values(
    format{"vp9.webm",
           "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 60 -c:a libopus",
           true},
    format{"mpeg2.ts", "-c:v mpeg2video -g 15 -bf 2 -c:a ac3", false},
    format{"open.mkv",
           "-c:v libx264 -preset veryfast -x264-params open-gop=1:keyint=50 "
           "-c:a aac",
           true},
    format{"intra.mp4", "-c:v libx264 -preset ultrafast -g 1 -c:a aac", true},
    format{"long.mkv",
           "-c:v libx264 -preset veryfast -x264-params keyint=infinite "
           "-c:a flac",
           false, 16},
    format{"film.avi", "-c:v mpeg4 -bf 0 -g 30 -c:a libmp3lame", false},
    format{"vfr.mp4",
           "-vf \"select='not(between(mod(n,7),2,4))'\" -vsync vfr -c:v "
           "libx264 -preset veryfast -g 40 -c:a aac",
           true}),
  [](const auto& of) {
    std::string name = of.param.name;
    std::replace(name.begin(), name.end(), '.', '_');
    return name;
  });

TEST_F(Films, OfHdrAreToneMapped) {
  ffmpeg("-f lavfi -i testsrc2=s=640x360:r=25:d=2 -vf "
         "\"zscale=tin=bt709:min=bt709:pin=bt709:t=smpte2084:m=bt2020nc:"
         "p=bt2020:npl=100,format=yuv420p10le\" -c:v libx265 -preset ultrafast "
         "-x265-params log-level=none:colorprim=bt2020:transfer=smpte2084:"
         "colormatrix=bt2020nc hdr.mkv");
  const auto index = index_of("hdr.mkv");
  const auto& track = track_of(index, av_kind::video);
  EXPECT_EQ(track.hdr, "hdr10");
  EXPECT_EQ(track.bits, 10u);
  EXPECT_THAT(why_no_video_copy(index, {{"hvc1"}, {}, false}),
              HasSubstr("HDR"));

  join(make_all(index, av_what::encode_video, "hdr.mkv"), "v.mp4");
  ffmpeg("-i hdr.mkv -vf zscale=t=linear:npl=100,format=gbrpf32le,"
         "zscale=p=bt709,tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv,"
         "format=yuv420p -c:v ffv1 reference.mkv");

  EXPECT_THAT(text_of("ffprobe -v error -show_entries stream=pix_fmt,"
                      "color_space,color_transfer,color_primaries -of "
                      "csv=p=0 v.mp4"),
              HasSubstr("yuv420p,bt709,bt709,bt709"));
  const auto said = text_of(
    "ffmpeg -nostdin -v info -i v.mp4 -i reference.mkv -lavfi psnr -f null - "
    "2>&1 | grep -o 'average:[0-9.]*'");
  // A mean error of 2 of 255 is 42 dB; the encoder adds its own.
  EXPECT_GT(std::strtod(said.c_str() + std::strlen("average:"), nullptr), 36)
    << said;
}

TEST_F(Films, OfInterlacedPicturesAreDeinterlaced) {
  film("-vf interlace -c:v mpeg2video -flags +ilme+ildct -top 1 -c:a mp2 "
       "old.mpg",
       4, "352x288", 50);
  const auto index = index_of("old.mpg");
  EXPECT_TRUE(track_of(index, av_kind::video).interlaced);

  const auto video =
    join(make_all(index, av_what::encode_video, "old.mpg"), "v.mp4");

  EXPECT_NEAR(static_cast<double>(frames_of(video).size()), 100, 2);
}

TEST_F(Films, AreFoundOutQuickly) {
  using clock = std::chrono::steady_clock;
  film("-c:v libx264 -preset ultrafast -g 50 -c:a aac long.mp4", 120);
  index_of("long.mp4");

  const auto begun = clock::now();
  auto order = order_of(index_of("long.mp4"), av_what::copy_video, 0);
  make(order, "long.mp4");
  const auto took =
    std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - begun);

  RecordProperty("index_and_segment_ms", static_cast<int>(took.count()));
  EXPECT_LT(took.count(), 2000);
}

} // namespace
} // namespace troupe::media
