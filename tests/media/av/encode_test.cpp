#include "config/sanitizers.hpp"
#include "tests/media/av/films_fixture.hpp"
#include "tests/media/av/tones.hpp"

#include <gmock/gmock.h>

#include <complex>
#include <numbers>

namespace troupe::media {
namespace {

using testing::HasSubstr;

class EncodedFilms : public Films,
                     public testing::WithParamInterface<const char*> {};

TEST_P(EncodedFilms, HaveEachFrameOnceAndInTime) {
  usual_film("film.mp4");
  const std::string name = std::string{"of."} + GetParam();
  ffmpeg("-i film.mp4 -c copy " + name);
  const auto index = index_of(name);

  const auto all = make_all(index, av_what::encode_video, name);

  const auto got = frames_of(join(all, "v.mp4"));
  expect_same(got, frames_of(name), 0.0011, false);
  EXPECT_THAT(all.front().codecs, HasSubstr("avc1.6400"));
  for (std::size_t n = 0; n < all.size(); ++n)
    EXPECT_GT(all[n].frames, 0u) << n;
}

INSTANTIATE_TEST_SUITE_P(Of, EncodedFilms, testing::Values("mp4", "mkv"));

TEST_F(Films, HaveTheSameEncodedSegmentWhoeverMakesIt) {
  if (is_sanitized)
    GTEST_SKIP() << "memory is not zeroed under a sanitizer";
  usual_film("film.mp4");
  const auto index = index_of("film.mp4");
  const auto in_order = make_all(index, av_what::encode_video, "film.mp4");

  for (auto n = in_order.size(); n-- > 0;) {
    const auto order = order_of(index, av_what::encode_video, n);
    renew_child();
    const auto alone = make(order, "film.mp4");
    renew_child();
    EXPECT_TRUE(alone.media == make(order, "film.mp4").media) << n;
    EXPECT_TRUE(alone.media == in_order[n].media) << n;
    EXPECT_EQ(alone.init, in_order[n].init) << n;
    EXPECT_EQ(alone.frames, in_order[n].frames) << n;
  }
}

TEST_F(Films, HaveOneInitWhateverTheQuality) {
  usual_film("film.mp4");
  const auto index = index_of("film.mp4");
  auto order = order_of(index, av_what::encode_video, 1);
  const auto good = make(order, "film.mp4");
  order.video.crf = 35;
  order.video.maxrate /= 4;
  order.video.bufsize /= 4;
  const auto poor = make(order, "film.mp4");

  EXPECT_EQ(good.init, poor.init);
  EXPECT_LT(poor.media.size(), good.media.size());
}

TEST_F(Films, MayBeLargeWhereNoRateCapsThem) {
  ffmpeg("-f lavfi -i 'nullsrc=size=1280x720:rate=25:duration=1,"
         "geq=lum=random(1)*255:cb=random(2)*255:cr=128' -c:v libx264 "
         "-preset ultrafast -qp 4 -pix_fmt yuv420p noise.mkv");
  auto order = order_of(index_of("noise.mkv"), av_what::encode_video, 0);
  order.video.preset = "ultrafast";
  order.video.crf = 1;
  order.video.maxrate = order.video.bufsize = 0;

  const auto made = make(order, "noise.mkv");

  EXPECT_GT(made.media.size(), av_segment_bytes);
  EXPECT_LT(made.media.size(), av_uncapped_bytes);
}

TEST_F(Films, AreScaledToTheRung) {
  film("-c:v libx264 -preset ultrafast -c:a aac big.mp4", 2, "1280x720");
  const auto index = index_of("big.mp4");
  auto order = order_of(index, av_what::encode_video, 0);
  const auto rungs = av_ladder(track_of(index, av_kind::video));
  ASSERT_EQ(rungs.back().height, 360u);
  order.video = av_settings_of(track_of(index, av_kind::video), rungs.back());

  join({make(order, "big.mp4")}, "small.mp4");

  EXPECT_THAT(text_of("ffprobe -v error -show_entries stream=width,height,"
                      "profile,level,pix_fmt -of csv=p=0 small.mp4"),
              HasSubstr("High,640,360,yuv420p"));
}

/// The share of a tone in samples, in decibels below all of it.
double noise_beside(double frequency, const std::vector<float>& samples,
                    std::size_t from, std::size_t count) {
  std::complex<double> sum;
  double power = 0;
  for (std::size_t i = from; i < from + count; ++i) {
    const double angle =
      2 * std::numbers::pi * frequency * static_cast<double>(i) / 48'000;
    sum += static_cast<double>(samples[i]) * std::polar(1.0, -angle);
    power += static_cast<double>(samples[i]) * static_cast<double>(samples[i]);
  }
  const double n = static_cast<double>(count);
  const double tone = 2 * std::norm(sum) / n;
  return 10 * std::log10(std::max(power - tone, 1e-12) / power);
}

TEST_F(Films, HaveAudioWithoutClicksAtTheBorders) {
  film("-c:v libx264 -preset ultrafast -c:a flac -ac 1 film.mkv");
  const auto index = index_of("film.mkv");

  std::vector<av_result> all;
  for (std::size_t n = 0; n < index.segments(); ++n) {
    auto order = order_of(index, av_what::encode_audio, n);
    // So much that what is heard beside the tone is the borders' own.
    order.audio.bitrate = 192'000;
    all.push_back(make(order, "film.mkv"));
  }
  join(all, "a.mp4");
  ffmpeg("-i a.mp4 -ac 1 -f f32le -c:a pcm_f32le a.raw");

  const auto bytes = content_of(folder_.path() / "a.raw");
  std::vector<float> samples(bytes.size() / sizeof(float));
  std::memcpy(samples.data(), bytes.data(), samples.size() * sizeof(float));
  ASSERT_NEAR(static_cast<double>(samples.size()), 12 * 48'000.0, 4096);
  for (std::size_t n = 1; n + 1 < index.borders.size(); ++n) {
    const auto border = static_cast<std::size_t>(
      std::llround(index.seconds(index.borders[n]) * 48'000));
    EXPECT_LT(noise_beside(440, samples, border - 2400, 4800), -35) << n;
  }
}

/// Stretches of 20 ms that differ by more than a tenth of what is heard, but
/// for the film's first four seconds, where an encoder may have to begin, and
/// its last part.
int wrong_stretches(const std::vector<float>& got,
                    const std::vector<float>& wanted) {
  constexpr std::size_t stretch = 960;
  int wrong = 0;
  const auto end = std::min(got.size(), wanted.size()) - 4 * stretch;
  for (std::size_t at = 4 * 48'000; at < end; at += stretch) {
    double apart = 0;
    double loud = 0;
    for (auto i = at; i < at + stretch; ++i) {
      apart += std::pow(static_cast<double>(got[i] - wanted[i]), 2);
      loud += std::pow(static_cast<double>(wanted[i]), 2);
    }
    wrong += apart > loud / 100 ? 1 : 0;
  }
  return wrong;
}

TEST_F(Films, HaveAudioAsOneRunOfAnEncoderMakesIt) {
  // A tone that wanders, at a rate that the encoder has to look for.
  ffmpeg(
    "-f lavfi -i testsrc2=s=64x64:r=25:d=40 -f lavfi -i "
    "\"aevalsrc='0.5*sin(2*PI*1500*t-3720*cos(2*PI*t/3.1))':s=48000:d=40\" "
    "-c:v libx264 -preset ultrafast -g 125 -c:a flac film.mkv");
  ffmpeg("-i film.mkv -ac 1 -f f32le -c:a pcm_f32le wanted.raw");
  const auto index = index_of("film.mkv");

  std::vector<av_result> all;
  for (std::size_t n = 0; n < index.segments(); ++n) {
    auto order = order_of(index, av_what::encode_audio, n);
    order.audio.bitrate = 80'000;
    all.push_back(make(order, "film.mkv"));
  }
  join(all, "a.mp4");
  ffmpeg("-i a.mp4 -ac 1 -f f32le -c:a pcm_f32le got.raw");

  ASSERT_GT(all.size(), 8u);
  // One run of ffmpeg has none there.
  EXPECT_LE(wrong_stretches(samples_of("got.raw"), samples_of("wanted.raw")),
            1);
}

TEST_F(Films, HaveAudioBesideTheirPictures) {
  // A tone from second 3 on.
  ffmpeg("-f lavfi -i testsrc2=s=64x64:r=25:d=6 -f lavfi -i "
         "sine=frequency=1000:sample_rate=44100:d=3 -filter_complex "
         "'[1:a]adelay=3000,volume=6[a]' -map 0:v -map '[a]' -c:v libx264 "
         "-g 60 -c:a aac film.mkv");
  const auto index = index_of("film.mkv");

  join(make_all(index, av_what::encode_audio, "film.mkv"), "a.mp4");
  ffmpeg("-i a.mp4 -ac 1 -f f32le -c:a pcm_f32le a.raw");

  const auto bytes = content_of(folder_.path() / "a.raw");
  std::vector<float> samples(bytes.size() / sizeof(float));
  std::memcpy(samples.data(), bytes.data(), samples.size() * sizeof(float));
  std::size_t at = 0;
  while (at < samples.size() && std::abs(samples[at]) < 0.2)
    ++at;
  // Matroska has both later, by what the encoder puts first.
  EXPECT_NEAR(static_cast<double>(at) / 44'100,
              3 + index.seconds(index.borders.front()), 0.01);
}

struct sound {
  const char* codec;
  const char* film;
};

class SoundOfFilms : public Films, public testing::WithParamInterface<sound> {};

TEST_P(SoundOfFilms, StandsWhereItDidToTheSample) {
  const std::string film = GetParam().film;
  ffmpeg(film_of_tones + "-c:a " + GetParam().codec + (" " + film));
  ffmpeg("-i " + film + " -ac 1 -f f32le -c:a pcm_f32le wanted.raw");
  const auto index = index_of(film);

  join(make_all(index, av_what::encode_audio, film), "a.mp4");
  ffmpeg("-i a.mp4 -ac 1 -f f32le -c:a pcm_f32le got.raw");

  const auto wanted =
    borders_of_tone(content_of(folder_.path() / "wanted.raw"));
  const auto got = borders_of_tone(content_of(folder_.path() / "got.raw"));
  ASSERT_EQ(wanted.size(), 6u);
  ASSERT_EQ(got.size(), wanted.size());
  // The first packet of a stream has none before it to begin with.
  for (std::size_t i = 1; i < wanted.size(); ++i)
    EXPECT_NEAR(got[i], wanted[i], 0.00011) << i;
}

INSTANTIATE_TEST_SUITE_P(
  Of, SoundOfFilms,
  testing::Values(sound{"pcm_s16le", "film.mkv"}, sound{"libopus", "film.mkv"},
                  sound{"flac", "film.mkv"}, sound{"aac", "film.mp4"}),
  [](const auto& of) { return std::string{of.param.codec}; });

TEST_F(Films, OfSoundAloneAreCutByTime) {
  ffmpeg("-f lavfi -i sine=frequency=440:sample_rate=44100:duration=20 "
         "-c:a aac song.m4a");

  const auto index = index_of("song.m4a");
  EXPECT_EQ(index.video, -1);
  EXPECT_EQ(index.base, (av_base{1, 44'100}));
  join(make_all(index, av_what::encode_audio, "song.m4a"), "encoded.mp4");
  join(make_all(index, av_what::copy_audio, "song.m4a"), "copied.mp4");

  for (const auto* name : {"encoded.mp4", "copied.mp4"})
    EXPECT_NEAR(static_cast<double>(frames_of(name, "a").size()), 861, 3)
      << name;
}

TEST_F(Films, GiveTheirSubtitlesAsWebVtt) {
  write(folder_.path() / "film.srt",
        "1\n00:00:01,000 --> 00:00:02,500\n<i>One</i> & two\n\n"
        "2\n00:00:03,000 --> 00:00:04,000\nline 1\nline 2\n");
  film("-c:v libx264 -preset ultrafast -an film.mp4");
  ffmpeg("-i film.mp4 -i film.srt -map 0 -map 1 -c copy "
         "-metadata:s:s:0 language=eng -disposition:s:0 forced film.mkv");
  const auto index = index_of("film.mkv");
  const auto& text = track_of(index, av_kind::text);
  EXPECT_EQ(text.language, "eng");
  EXPECT_TRUE(text.forced);
  av_order order;
  order.what = av_what::subtitles;
  order.track = text.number;

  const auto made = make(order, "film.mkv");

  EXPECT_EQ(made.media,
            "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n"
            "00:00:01.000 --> 00:00:02.500\nOne &amp; two\n\n"
            "00:00:03.000 --> 00:00:04.000\nline 1\nline 2\n");
}

} // namespace
} // namespace troupe::media
