#include "tests/media/download/run_fixture.hpp"

namespace troupe::media::testing_runs {

namespace {

TEST_F(DownloadRun, StagesAFileThatEqualsItsSource) {
  const auto clip = origin_.clip("a.mp4", 2);

  const auto outcome = outcome_of(params("/files/a.mp4"));

  const auto* done = success(outcome);
  ASSERT_TRUE(done);
  const auto source = digest_of(clip);
  ASSERT_FALSE(done->files.empty());
  const auto& main = done->files.back();
  EXPECT_EQ(main.sha256, source->sha256);
  EXPECT_EQ(main.size, source->size);
  EXPECT_EQ(main.final_path, (library() / "127.0.0.1/a [a].mp4").string());
  EXPECT_EQ(digest_of(main.staged)->sha256, source->sha256);
  const auto told = parse_object(done->result);
  EXPECT_EQ(text_of(*told, "path"), main.final_path);
  EXPECT_EQ(text_of(*told, "container"), "mp4");
  EXPECT_NEAR(number_of(*told, "duration_s"), 2, 0.2);
  EXPECT_EQ(text_of(*object_of(*told, "video"), "codec"), "h264");
  EXPECT_EQ(text_of(*told, "info_json"), done->files.front().final_path);
  EXPECT_FALSE(fs::exists(work_folder(library(), "job1") / "cookies.txt"));
}

TEST_F(DownloadRun, TellsProgressInBytesThatNeverFalls) {
  const auto clip = origin_.clip("a.mp4", 10);
  const auto size = static_cast<std::int64_t>(fs::file_size(clip));
  auto made = start(params("/files/a.mp4?rate=" + std::to_string(size / 2)));

  ASSERT_TRUE(success(made.sink->wait()));

  const auto seen = made.sink->seen();
  std::set<std::int64_t> between;
  std::vector<std::string> stages;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_GE(seen[i].done, i > 0 ? seen[i - 1].done : 0);
    if (seen[i].done > 0 && seen[i].done < size)
      between.insert(seen[i].done);
    if (stages.empty() || stages.back() != seen[i].stage)
      stages.push_back(seen[i].stage);
  }
  EXPECT_GT(between.size(), 3u);
  EXPECT_EQ(seen.back().done, size);
  EXPECT_EQ(seen.back().total, size);
  EXPECT_THAT(stages, testing::ElementsAre("extract", "download", "publish"));
}

TEST_F(DownloadRun, FetchesHlsWholeButNotWithAMissingFragment) {
  origin_.segments("show", 8);

  EXPECT_EQ(failure_of(params("/hls/show/index.m3u8?missing=2")),
            errc::incomplete);
  const auto outcome = outcome_of(params("/hls/show/index.m3u8"));

  const auto* done = success(outcome);
  ASSERT_TRUE(done);
  const auto told = parse_object(done->result);
  EXPECT_NEAR(number_of(*told, "duration_s"), 8, 0.5);
  EXPECT_TRUE(done->files.back().final_path.ends_with(".mp4"));
}

TEST_F(DownloadRun, ContinuesThePartOfAnInterruptedAttempt) {
  const auto clip = origin_.clip("a.mp4", 20);
  const auto size = static_cast<std::int64_t>(fs::file_size(clip));
  const auto asked = params("/files/a.mp4?rate=" + std::to_string(size / 4));
  auto first = start(asked);
  ASSERT_TRUE(first.sink->wait_for_bytes(size / 4));
  first.work->cancel(errc::interrupted);
  const auto stopped = first.sink->wait(3s);
  ASSERT_EQ(std::get<failure_report>(stopped).code, errc::interrupted);

  auto second = start(asked, first.sink->checkpoint(), 2);
  const auto outcome = second.sink->wait();

  const auto* done = success(outcome);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->files.back().sha256, digest_of(clip)->sha256);
  EXPECT_THAT(origin_.log(), testing::ContainsRegex("bytes=[1-9][0-9]*-"));
}

TEST_F(DownloadRun, BeginsAnewWhenTheSourceChangedBetweenAttempts) {
  const auto old = origin_.clip("v.mp4", 20);
  const auto size = static_cast<std::int64_t>(fs::file_size(old));
  const auto asked = params("/changing/v.mp4?rate=" + std::to_string(size / 3));
  auto first = start(asked);
  ASSERT_TRUE(first.sink->wait_for_bytes(size / 4));
  first.work->cancel(errc::interrupted);
  first.sink->wait(3s);

  const auto fresh = origin_.clip("v.mp4.2", 21);
  origin_.show_version(2);
  auto second = start(asked, first.sink->checkpoint(), 2);
  const auto outcome = second.sink->wait();

  const auto* done = success(outcome);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->files.back().sha256, digest_of(fresh)->sha256);
}

TEST_F(DownloadRun, MixesNoVersionsWhenTheSourceChangesUnderIt) {
  const auto old = origin_.clip("v.mp4", 20);
  const auto size = static_cast<std::int64_t>(fs::file_size(old));
  const auto fresh = origin_.clip("v.mp4.2", 21);
  // The connection breaks at half; what yt-dlp asks for next is another file.
  auto made = start(params("/changing/v.mp4?rate=" + std::to_string(size / 2)
                           + "&drop_after=" + std::to_string(size / 2)));
  ASSERT_TRUE(made.sink->wait_for_bytes(size / 5));
  origin_.show_version(2);

  const auto outcome = made.sink->wait();

  if (const auto* done = std::get_if<finished>(&outcome)) {
    EXPECT_EQ(done->files.back().sha256, digest_of(fresh)->sha256);
  } else {
    EXPECT_TRUE(may_pass(std::get<failure_report>(outcome).code));
  }
}

} // namespace

} // namespace troupe::media::testing_runs
