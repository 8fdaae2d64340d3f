#include "tests/media/download/run_fixture.hpp"

namespace troupe::media::testing_runs {

namespace {

TEST_F(DownloadRun, CancelsWithinTwoSecondsAndLeavesNothing) {
  const auto clip = origin_.clip("a.mp4", 20);
  const auto size = static_cast<std::int64_t>(fs::file_size(clip));
  auto made = start(params("/files/a.mp4?rate=" + std::to_string(size / 30)));
  ASSERT_TRUE(made.sink->wait_for_bytes(1));

  const auto began = std::chrono::steady_clock::now();
  made.work->cancel(errc::cancelled);
  const auto outcome = made.sink->wait(5s);

  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
  EXPECT_EQ(std::get<failure_report>(outcome).code, errc::cancelled);
  EXPECT_FALSE(fs::exists(work_folder(library(), "job1")));
  EXPECT_THAT(processes_naming(folder_.path().string()), testing::IsEmpty());
}

TEST_F(DownloadRun, CancelsWhileALookHangs) {
  origin_.clip("a.mp4", 2);
  auto made = start(params("/files/a.mp4?stall_after=0"));
  ASSERT_TRUE(made.sink->wait_for_bytes(0));

  made.work->cancel(errc::cancelled);

  const auto outcome = made.sink->wait(3s);
  EXPECT_EQ(std::get<failure_report>(outcome).code, errc::cancelled);
}

TEST_F(DownloadRun, SortsItsErrors) {
  EXPECT_EQ(failure_of(params("/files/none.mp4")), errc::source_not_found);
  EXPECT_EQ(failure_of(params("/status/410")), errc::source_not_found);
  EXPECT_EQ(failure_of(params("/status/503")), errc::source_unavailable);
  std::ofstream{folder_.path() / "media" / "page.html"} << "<html>no video";
  EXPECT_EQ(failure_of(params("/files/page.html")), errc::unsupported_url);
  const auto busy = outcome_of(params("/status/429?retry_after=77"));
  const auto& why = std::get<failure_report>(busy);
  EXPECT_EQ(why.code, errc::rate_limited);
  EXPECT_EQ(why.retry_after_s, 77);
  EXPECT_FALSE(why.untried);
}

TEST_F(DownloadRun, LeavesAHostAloneThatAskedForAPause) {
  origin_.clip("a.mp4", 1);
  EXPECT_EQ(failure_of(params("/status/429?retry_after=3600")),
            errc::rate_limited);
  const auto asked = origin_.log();

  const auto other = outcome_of(params("/files/a.mp4"));

  const auto& why = std::get<failure_report>(other);
  EXPECT_EQ(why.code, errc::rate_limited);
  EXPECT_TRUE(why.untried);
  EXPECT_GT(why.retry_after_s, 3500);
  EXPECT_EQ(origin_.log(), asked);
}

TEST_F(DownloadRun, SaysThatAContainerCannotHoldTheStreams) {
  origin_.clip("a.mp4", 1);

  EXPECT_EQ(failure_of(params("/files/a.mp4", R"(, "format": "webm")")),
            errc::bad_container)
    << message_;
}

TEST_F(DownloadRun, RefusesAddressesOnEveryWay) {
  origin_.clip("a.mp4", 1);
  origin_.segments("show", 4);
  const auto elsewhere = origin_.url("/files/a.mp4", "127.0.0.3");
  const auto segments = origin_.url("/hls/show/", "127.0.0.3");

  for (const auto& path :
       {"/redirect?to=" + elsewhere, "/page?video=" + elsewhere,
        "/hls/show/index.m3u8?base=" + segments}) {
    EXPECT_EQ(failure_of(params(path)), errc::source_forbidden)
      << path << ": " << message_;
    EXPECT_THAT(message_, HasSubstr("127.0.0.3")) << path;
    EXPECT_THAT(message_, HasSubstr("sources.allow")) << path;
  }
  EXPECT_EQ(failure_of(R"({"url": ")" + elsewhere + "\"}"),
            errc::source_forbidden);
  EXPECT_THAT(origin_.log(), testing::Not(HasSubstr(R"("host": "127.0.0.3)")));
}

TEST_F(DownloadRun, ChecksSizeSumAndSelector) {
  const auto clip = origin_.clip("a.mp4", 2);
  const std::string zeros(64, '0');

  EXPECT_EQ(failure_of(params("/files/a.mp4", R"(, "max_filesize": 1000)")),
            errc::too_large);
  EXPECT_EQ(failure_of(params("/files/a.mp4",
                              R"(, "checksum": "sha256:)" + zeros + "\"")),
            errc::checksum_failed);
  EXPECT_EQ(failure_of(params("/files/a.mp4", R"(, "quality": "nosuch")")),
            errc::bad_selector);
  EXPECT_EQ(failure_of(params("/files/a.mp4", R"(, "cookies": "none.txt")")),
            errc::bad_params);
  const auto sum = digest_of(clip)->sha256;
  EXPECT_EQ(failure_of(
              params("/files/a.mp4", R"(, "checksum": "sha256:)" + sum + "\"")),
            errc::none)
    << message_;
}

TEST_F(DownloadRun, KeepsAFileThatCrashesItsProbeAndRemembersItsSource) {
  std::ofstream{folder_.path() / "media" / "bad.mp4"} << "fault:crash\n";
  const auto url = origin_.url("/files/bad.mp4");

  for (int crashes = 1; crashes <= 2; ++crashes) {
    EXPECT_EQ(bad_.refused(url), 0);
    const auto outcome = outcome_of(params("/files/bad.mp4"));
    const auto* done = success(outcome);
    ASSERT_TRUE(done);
    EXPECT_THAT(done->result, HasSubstr(R"("container":null)"));
  }

  EXPECT_GT(bad_.refused(url), 500);
  const auto born = children_.zygote();
  EXPECT_TRUE(success(outcome_of(params("/files/bad.mp4"))));
  EXPECT_EQ(children_.zygote(), born);
}

TEST_F(DownloadRun, CountsWhatItsProbeUses) {
  if (is_sanitized)
    GTEST_SKIP() << "a sanitizer's memory is another";
  origin_.clip("a.mp4", 1);
  std::ofstream{folder_.path() / "media" / "large.mp4"} << "fault:grow\n";

  const auto small = outcome_of(params("/files/a.mp4"));
  const auto large = outcome_of(params("/files/large.mp4"));

  ASSERT_TRUE(success(small) && success(large));
  EXPECT_LT(success(small)->used.peak_memory, 190u << 20);
  EXPECT_GT(success(large)->used.peak_memory, 190u << 20);
}

TEST_F(DownloadRun, ChangesTheContainerAndTakesTheSound) {
  origin_.clip("a.mp4", 2);

  const auto mkv = outcome_of(
    params("/files/a.mp4", R"(, "format": "mkv", "embed": ["metadata"])"));
  ASSERT_TRUE(success(mkv));
  auto told = parse_object(std::get<finished>(mkv).result);
  EXPECT_EQ(text_of(*told, "container"), "mkv");
  EXPECT_EQ(text_of(*object_of(*told, "video"), "codec"), "h264");

  const auto mp3 = outcome_of(params("/files/a.mp4", R"(, "format": "mp3")"));
  ASSERT_TRUE(success(mp3));
  told = parse_object(std::get<finished>(mp3).result);
  EXPECT_EQ(text_of(*told, "container"), "mp3");
  EXPECT_TRUE(told->at("video").is_null());
}

TEST_F(DownloadRun, SkipsWhatIsThereIfToldSo) {
  const auto clip = origin_.clip("a.mp4", 2);
  const auto there = library() / "127.0.0.1" / "a [a].mp4";
  fs::create_directories(there.parent_path());
  fs::copy_file(clip, there);
  std::ofstream{there, std::ios::app} << "other";

  const auto outcome =
    outcome_of(params("/files/a.mp4", R"(, "if_exists": "skip")"));

  const auto* done = success(outcome);
  ASSERT_TRUE(done);
  EXPECT_TRUE(done->files.empty());
  EXPECT_EQ(text_of(*parse_object(done->result), "path"), there.string());
}

TEST_F(DownloadRun, SaysWhenYtDlpIsMissing) {
  tools_.yt_dlp = "/nonexistent/yt-dlp";

  EXPECT_EQ(failure_of(params("/files/a.mp4")), errc::tool_missing);
}

TEST_F(DownloadRun, EndsQuietlyWhenItIsDestroyed) {
  origin_.clip("a.mp4", 2);
  auto made = start(params("/files/a.mp4?rate=1000"));
  ASSERT_TRUE(made.sink->wait_for_bytes(1));

  made.work.reset();

  const auto deadline = std::chrono::steady_clock::now() + 3s;
  while (!processes_naming(folder_.path().string()).empty()
         && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  EXPECT_THAT(processes_naming(folder_.path().string()), testing::IsEmpty());
}

TEST_F(DownloadRun, LooksAtAUrlForItsUser) {
  origin_.clip("a.mp4", 1);
  extractor looks{services_, folder_.path() / "extract"};
  const auto look = [&](const std::string& url) {
    auto answer = std::make_shared<std::promise<result<std::string>>>();
    looks.extract(url, [answer](result<std::string> found) {
      answer->set_value(std::move(found));
    });
    return answer->get_future().get();
  };

  const auto found = look(origin_.url("/files/a.mp4"));
  const auto hidden = look(origin_.url("/files/a.mp4", "127.0.0.3"));
  const auto closed = look("http://127.0.0.1:1/a.mp4");

  ASSERT_TRUE(found) << found.error().message();
  EXPECT_THAT(*found, HasSubstr(R"("title":"a")"));
  EXPECT_THAT(*found, HasSubstr(R"("format_id":"mp4")"));
  ASSERT_FALSE(hidden);
  EXPECT_EQ(hidden.error().code, errc::source_forbidden);
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().code, errc::source_unavailable);
  EXPECT_THAT(closed.error().detail, HasSubstr("Connection refused"));
  EXPECT_TRUE(fs::is_empty(folder_.path() / "extract"));
}

TEST_F(DownloadRun, ChecksItsTools) {
  const auto health = check_tools(tools_, threads_, runner_, TROUPE_TEST_CODEC);

  ASSERT_EQ(health.size(), 3u);
  EXPECT_TRUE(health[0].usable) << health[0].advice;
  EXPECT_TRUE(date_of_version(health[0].version)) << health[0].version;
  EXPECT_TRUE(health[1].usable);
  EXPECT_TRUE(health[2].usable);
}

} // namespace

} // namespace troupe::media::testing_runs
