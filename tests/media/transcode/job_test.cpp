#include "tests/media/av/tones.hpp"
#include "tests/media/transcode/transcode_fixture.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <set>

/// What is made of a film, and how a conversion ends.
namespace troupe::media {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

/// What each profile leaves.
struct profile_case {
  const char* profile;
  const char* source;
  const char* streams; ///< as ffprobe says
  const char* container;
};

class Profiles : public Transcodes,
                 public ::testing::WithParamInterface<profile_case> {};

TEST_P(Profiles, MakeTheirCodecsInTime) {
  const auto& wanted = GetParam();
  film("-c:v libx264 -preset veryfast -g 50 -bf 2 -pix_fmt yuv420p -c:a aac "
       "-ac 2 "
         + std::string{wanted.source},
       4);

  const auto made =
    make_film(wanted.source, R"(, "preset": "veryfast", )"
                             R"("profile": ")"
                               + std::string{wanted.profile} + '"');

  EXPECT_THAT(text_of("ffprobe -v error -show_entries stream=codec_name "
                      "-of csv=p=0 '"
                      + made + "'"),
              HasSubstr(wanted.streams));
  EXPECT_EQ(media::text_of(result_, "container"), wanted.container);
  EXPECT_NEAR(number_of(result_, "duration_s"), 4, 0.1);
  EXPECT_NEAR(std::stod(text_of("ffprobe -v error -show_entries "
                                "format=duration -of csv=p=0 '"
                                + made + "'")),
              4, 0.1);
  if (std::string_view{wanted.profile} != "audio_only")
    expect_same(frames_of(made), frames_of(wanted.source), 0.0011, false);
}

INSTANTIATE_TEST_SUITE_P(
  Of, Profiles,
  ::testing::Values(
    profile_case{"web_optimized", "film.mp4", "h264\naac", "mp4"},
    profile_case{"high_quality", "film.mkv", "h264\naac", "mp4"},
    profile_case{"mobile_optimized", "film.mkv", "h264\naac", "mp4"},
    profile_case{"ultra_compress", "film.mp4", "hevc\naac", "mp4"},
    profile_case{"webm_web", "film.mkv", "vp9\nopus", "webm"},
    profile_case{"audio_only", "film.mp4", "aac", "mp4"}),
  [](const auto& of) { return std::string{of.param.profile}; });

struct kept_sound {
  const char* source;
  const char* codec; ///< of the source's audio
  const char* container;
  double tolerance_s;
};

class Containers : public Transcodes,
                   public ::testing::WithParamInterface<kept_sound> {};

TEST_P(Containers, KeepSoundBesidePictures) {
  const auto& [source, codec, container, tolerance] = GetParam();
  const std::string film = source;
  ffmpeg(film_of_tones + ("-c:a " + (codec + (" " + film))));
  ffmpeg("-i " + film + " -ac 1 -f f32le -c:a pcm_f32le wanted.raw");

  const auto made =
    make_film(film, R"(, "container": ")" + std::string{container} + '"');
  // By their times, whatever the decoder would join and wherever one begins.
  ffmpeg("-copyts -i '" + made
         + "' -af aresample=async=1:first_pts=0 -ac 1 -ar 48000 -f f32le "
           "-c:a pcm_f32le got.raw");

  expect_same(frames_of(made), frames_of(film), 0.0011, false);
  const auto wanted =
    borders_of_tone(content_of(folder_.path() / "wanted.raw"));
  const auto got = borders_of_tone(content_of(folder_.path() / "got.raw"));
  ASSERT_EQ(wanted.size(), 6u);
  ASSERT_EQ(got.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i)
    EXPECT_NEAR(got[i], wanted[i], tolerance) << i;
}

// A sample is 0.00002 s long. Matroska's times are of milliseconds.
INSTANTIATE_TEST_SUITE_P(
  Of, Containers,
  ::testing::Values(kept_sound{"film.mkv", "pcm_s16le", "mp4", 0.00011},
                    kept_sound{"film.mkv", "pcm_s16le", "mkv", 0.0011},
                    kept_sound{"film.mkv", "pcm_s16le", "webm", 0.0011},
                    kept_sound{"film.mp4", "aac", "mp4", 0.00011},
                    kept_sound{"film.mp4", "aac", "webm", 0.0011},
                    kept_sound{"film.mkv", "aac", "mp4", 0.00011},
                    kept_sound{"film.mkv", "libopus", "mp4", 0.00011},
                    kept_sound{"film.mkv", "flac", "mp4", 0.00011}),
  [](const auto& of) {
    const std::string_view source{of.param.source};
    return std::string{of.param.codec} + "_" + std::string{source.substr(5)}
           + "_" + of.param.container;
  });

TEST_F(Transcodes, HaveTheirIndexInFront) {
  usual_film("film.mp4");

  const auto made = make_film("film.mp4");

  const auto bytes = content_of(folder_.path() / made);
  EXPECT_LT(bytes.find("moov"), bytes.find("mdat"));
  EXPECT_EQ(bytes.find("moof"), bytes.npos);
}

TEST_F(Transcodes, TellWhatADownloadTells) {
  usual_film("film.mp4");
  shell("mv film.mp4 'a film.mp4'");

  const auto made =
    make_film("a%20film.mp4", R"(, "filename": "x/{title}-{height}.{ext}")");

  ASSERT_EQ(files_.size(), 1u);
  EXPECT_EQ(files_.front().final_path,
            settings_.library.dir / "x" / "a film-180.mp4");
  EXPECT_EQ(media::text_of(result_, "path"), files_.front().final_path);
  EXPECT_EQ(media::text_of(result_, "sha256"), files_.front().sha256);
  EXPECT_EQ(number_of(result_, "size"),
            static_cast<double>(files_.front().size));
  EXPECT_EQ(media::text_of(*object_of(result_, "video"), "codec"), "h264");
  EXPECT_EQ(number_of(*object_of(result_, "video"), "height"), 180);
  EXPECT_EQ(media::text_of(*object_of(result_, "audio"), "codec"), "aac");
  EXPECT_GT(used_.cpu_ms, 0u);
}

TEST_F(Transcodes, GoOnWhereAnEarlierAttemptEnded) {
  film("-c:v libx264 -preset ultrafast -g 50 -pix_fmt yuv420p -c:a aac "
       "film.mp4",
       20, "640x360");
  const std::string how = R"(, "preset": "slow")";
  auto first = std::make_shared<watching_sink>();
  auto one = begin("film.mp4", how, first, 1);
  double share = 0.2;
  while (packed().size() < 6 && first->wait_for_fraction(share))
    share += 0.05;
  ASSERT_LT(share, 0.9);
  one->cancel(errc::interrupted);
  static_cast<void>(first->wait());
  one.reset();
  const auto before = packed();

  auto second = std::make_shared<watching_sink>();
  const auto two = begin("film.mp4", how, second, 2);
  const auto outcome = second->wait();

  ASSERT_TRUE(std::holds_alternative<finished>(outcome));
  const auto after = packed();
  ASSERT_GT(before.size(), 4u);
  ASSERT_GT(after.size(), before.size());
  std::set<std::tuple<int, int, unsigned>> parts;
  for (std::size_t i = 0; i < after.size(); ++i) {
    const std::tuple part{static_cast<int>(after[i].part), +after[i].track,
                          after[i].number};
    EXPECT_TRUE(parts.insert(part).second) << i;
    if (i < before.size()) {
      EXPECT_EQ(after[i].hash, before[i].hash) << i;
    }
  }
  EXPECT_THAT(second->checkpoint(), HasSubstr("\"pieces\""));
}

TEST_F(Transcodes, EndSoonAfterTheyAreTold) {
  film("-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac film.mp4", 20,
       "1280x720");
  // The best of three: a machine that is busy is late by itself.
  auto least = std::chrono::steady_clock::duration::max();
  for (int i = 0; i < 3 && least >= 2s; ++i) {
    const auto sink = std::make_shared<watching_sink>();
    const auto made = begin("film.mp4", R"(, "preset": "veryslow")", sink, 1,
                            "job" + std::to_string(i));
    ASSERT_TRUE(sink->wait_for_fraction(0));

    const auto told = std::chrono::steady_clock::now();
    made->cancel(errc::cancelled);
    const auto outcome = sink->wait();

    least = std::min(least, std::chrono::steady_clock::now() - told);
    ASSERT_TRUE(std::holds_alternative<failure_report>(outcome));
    EXPECT_EQ(std::get<failure_report>(outcome).code, errc::cancelled);
  }
  EXPECT_LT(least, 2s);
}

TEST_F(Transcodes, TakeWhatStreamsHaveMade) {
  usual_film("film.mp4");
  make_film("film.mp4");
  const auto index = std::make_shared<const av_index>(index_of("film.mp4"));
  const auto source =
    open_stream_source("local:///film.mp4", {}, settings_.library);
  ASSERT_TRUE(source);
  transcode_params params;
  params.source = "local:///film.mp4";
  const auto plan = plan_transcode(params, *source, index);
  ASSERT_TRUE(plan);
  const descriptor pack{::open(
    (work_folder(settings_.library.dir, "job1") / "pack").c_str(), O_RDONLY)};
  for (const auto& each : packed()) {
    if (each.part != pack_part::init && each.part != pack_part::segment)
      continue;
    const auto line = plan->tracks()[each.track];
    const bool init = each.part == pack_part::init;
    streams_->keep(init ? line->init_key() : line->segment_key(each.number),
                   init ? stream_part::init : stream_part::segment,
                   *read_pack_part(pack.get(), each), 1, stream_keep::memory);
  }

  const auto again = make_film("film.mp4", {}, "job2");

  // None was made: there is no speed.
  for (const auto& each : sink_->seen())
    EXPECT_EQ(each.rate, 0);
  expect_same(frames_of(again), frames_of("film.mp4"), 0.0011, false);
}

TEST_F(Transcodes, EndWithWhatIsWrongOfTheSource) {
  ffmpeg("-f lavfi -i sine=duration=3 -c:a aac sound.m4a");
  write(folder_.path() / "text.mp4", "no film at all");
  usual_film("film.mp4");
  film("-an -c:v libx264 -pix_fmt yuv420p silent.mp4", 2);

  EXPECT_EQ(code("none.mp4"), errc::source_not_found);
  EXPECT_EQ(code("text.mp4"), errc::invalid_media);
  EXPECT_EQ(code("sound.m4a"), errc::invalid_media);
  EXPECT_THAT(message_, HasSubstr("audio_only"));
  EXPECT_EQ(code("silent.mp4", R"(, "profile": "audio_only")"),
            errc::invalid_media);
  EXPECT_EQ(code("film.mp4", R"(, "container": "webm", "video_codec": "h264")"),
            errc::bad_container);
  EXPECT_EQ(code("sound.m4a", R"(, "profile": "audio_only")"), errc::none);
  EXPECT_EQ(code("silent.mp4"), errc::none);
}

TEST_F(Transcodes, ShowTheLastPictureWhileSoundGoesOn) {
  // Nothing tells how long the pictures are but their index.
  ffmpeg("-f lavfi -i testsrc2=size=320x180:rate=25:duration=6 -f lavfi -i "
         "sine=frequency=440:sample_rate=48000:duration=17 -c:v libx264 "
         "-preset ultrafast -g 50 -pix_fmt yuv420p -c:a aac film.mkv");
  auto bytes = content_of(folder_.path() / "film.mkv");
  for (std::size_t at = 0; (at = bytes.find("DURATION", at)) != bytes.npos;)
    bytes[at] = 'X';
  write(folder_.path() / "film.mkv", bytes);
  ASSERT_GT(index_of("film.mkv").video_segments, 5u);

  const auto made = make_film("film.mkv");

  EXPECT_NEAR(number_of(result_, "duration_s"), 17, 0.1);
  const auto wanted = frames_of("film.mkv");
  auto got = frames_of(made);
  ASSERT_GT(got.size(), wanted.size());
  got.resize(wanted.size());
  expect_same(got, wanted, 0.0011, false);
}

TEST_F(Transcodes, EndWhereWhatTheIndexNamesIsGone) {
  film("-c:v libx264 -preset ultrafast -g 25 -pix_fmt yuv420p -c:a aac "
       "-cluster_time_limit 1000 film.mkv",
       20);
  auto bytes = content_of(folder_.path() / "film.mkv");
  const auto index = bytes.rfind("\x1c\x53\xbb\x6b");
  ASSERT_NE(index, bytes.npos);
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 2),
            bytes.begin() + static_cast<std::ptrdiff_t>(index), '\0');
  write(folder_.path() / "film.mkv", bytes);

  EXPECT_EQ(code("film.mkv"), errc::invalid_media);
  EXPECT_THAT(message_, HasSubstr("cut off before"));
}

TEST_F(Transcodes, OfATruncatedFilmEndInTime) {
  film("-c:v libx264 -preset ultrafast -g 25 -pix_fmt yuv420p -c:a aac "
       "-movflags faststart whole.mp4",
       10, "640x360");
  const auto bytes = content_of(folder_.path() / "whole.mp4");
  write(folder_.path() / "half.mp4", bytes.substr(0, bytes.size() / 2));

  EXPECT_EQ(code("half.mp4"), errc::invalid_media);
}

} // namespace
} // namespace troupe::media
