#include "media/transcode/plan.hpp"

#include "media/errc.hpp"
#include "media/transcode/meter.hpp"
#include "tests/media/stream/stream_fixture.hpp"

#include <gmock/gmock.h>

/// What is made for which params, of a film that is not there.
namespace troupe::media {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

result<transcode_plan> plan_of(const transcode_params& params,
                               const av_index& index = testing::film()) {
  return plan_transcode(params, testing::some_source(),
                        std::make_shared<const av_index>(index));
}

transcode_params with(const std::string& profile) {
  transcode_params params;
  params.source = "local:///a%20film.mkv";
  params.profile = profile;
  return params;
}

TEST(TranscodePlan, OfTheWebIsWhatStreamsHave) {
  stream_wish wish;
  wish.mode = stream_mode::transcode;
  const auto streamed = make_plan(
    wish, testing::some_source(),
    std::make_shared<const av_index>(testing::film()), usual_speed, 0);
  ASSERT_TRUE(streamed);

  const auto plan = plan_of(with("web_optimized"));

  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->video->key, (*streamed)->video.front()->key);
  EXPECT_EQ(plan->audio->key, (*streamed)->audio.front()->key);
  EXPECT_EQ(plan->container, "mp4");
}

TEST(TranscodePlan, OfFewerLinesIsARungOfStreams) {
  stream_wish wish;
  wish.mode = stream_mode::transcode;
  const auto streamed = make_plan(
    wish, testing::some_source(),
    std::make_shared<const av_index>(testing::film()), usual_speed, 0);
  ASSERT_TRUE(streamed);
  auto params = with("web_optimized");
  params.height = 720;

  const auto plan = plan_of(params);

  ASSERT_TRUE(plan);
  ASSERT_TRUE((*streamed)->find("v720"));
  EXPECT_EQ(plan->video->key, (*streamed)->find("v720")->key);
}

TEST(TranscodePlan, HasEveryPieceOnceAndAPrimer) {
  const auto plan = plan_of(with("web_optimized"));

  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->pieces.size(), 12u + 1 + 12);
  EXPECT_EQ(plan->pieces[12].part, pack_part::primer);
  EXPECT_TRUE(plan->pieces[12].order().primer);
  EXPECT_EQ(plan->pieces[13].order().what, av_what::encode_audio);
  double work = 0;
  for (const auto& each : plan->pieces)
    work += each.work;
  EXPECT_NEAR(work, 1, 1e-9);
  EXPECT_DOUBLE_EQ(plan->duration_s, 20);
}

TEST(TranscodePlan, FollowsTheProfile) {
  EXPECT_EQ(plan_of(with("ultra_compress"))->video->video.codec, "hevc");
  EXPECT_EQ(plan_of(with("mobile_optimized"))->video->video.height, 720u);
  const auto web = plan_of(with("webm_web"));
  EXPECT_EQ(web->video->video.codec, "vp9");
  EXPECT_EQ(web->audio->audio.codec, "opus");
  EXPECT_EQ(web->container, "webm");
  const auto sound = plan_of(with("audio_only"));
  EXPECT_FALSE(sound->video);
  EXPECT_EQ(ending_of(*sound), "m4a");
}

TEST(TranscodePlan, TakesWhatTheParamsSayInstead) {
  auto params = with("high_quality");
  params.crf = 30;
  params.preset = "ultrafast";
  params.video_codec = "vp9";
  params.audio_codec = "opus";
  params.audio_bitrate = 64'000;
  params.container = "mkv";
  params.height = 500;

  const auto plan = plan_of(params);

  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->video->video.crf, 30);
  EXPECT_EQ(plan->video->video.preset, "ultrafast");
  EXPECT_EQ(plan->video->video.codec, "vp9");
  EXPECT_EQ(plan->video->video.height, 500u);
  EXPECT_EQ(plan->audio->audio.codec, "opus");
  EXPECT_EQ(plan->audio->audio.bitrate, 64'000u);
  EXPECT_EQ(plan->container, "mkv");
  EXPECT_NE(plan->identity(), plan_of(with("high_quality"))->identity());
}

TEST(TranscodePlan, HasTheCodecsOfWebMWhereNoneIsNamed) {
  auto params = with("web_optimized");
  params.container = "webm";
  EXPECT_EQ(plan_of(params)->video->video.codec, "vp9");

  params.video_codec = "h264";
  const auto refused = plan_of(params);

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::bad_container);
}

TEST(TranscodePlan, NeedsVideoUnlessSoundIsAskedFor) {
  auto index = testing::film();
  index.video = -1;
  std::erase_if(index.tracks,
                [](const auto& each) { return each.kind == av_kind::video; });

  const auto refused = plan_of(with("web_optimized"), index);

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::invalid_media);
  EXPECT_THAT(refused.error().detail, HasSubstr("audio_only"));
  EXPECT_TRUE(plan_of(with("audio_only"), index));
}

TEST(TranscodePlan, IsNamedByItsSource) {
  const auto params = with("web_optimized");
  const auto plan = plan_of(params);

  const auto fields = name_fields_of(params, *plan, "job1");

  EXPECT_EQ(fields.title, "a film");
  EXPECT_EQ(fields.height, "1080");
  EXPECT_EQ(fields.ext, "mp4");
  EXPECT_EQ(fields.id, "job1");
}

TEST(TranscodeParams, AreReadWithTheirDefaults) {
  const auto read = read_transcode_params(R"({"source": "local:///a.mkv"})");

  ASSERT_TRUE(read);
  EXPECT_EQ(read->profile, "web_optimized");
  EXPECT_FALSE(read->crf);
  EXPECT_FALSE(read_transcode_params(
    R"({"source": "local:///a.mkv", "filename": "../a"})"));
}

TEST(TranscodeMeter, TellsTheSpeedOfWhatThisAttemptMade) {
  const auto begin = transcode_meter::clock::time_point{};
  transcode_meter meter{100, 10, begin};
  meter.add(0.5, false);
  meter.add(0.1, true);

  const auto now = meter.now(begin + 5s);

  EXPECT_DOUBLE_EQ(now.fraction, 0.6);
  EXPECT_EQ(now.done, 60);
  EXPECT_EQ(now.total, 100);
  EXPECT_DOUBLE_EQ(now.rate, 2);
  EXPECT_NEAR(now.eta_s, 20, 1e-9);
}

} // namespace
} // namespace troupe::media
