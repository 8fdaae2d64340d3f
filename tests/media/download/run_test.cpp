#include "media/download/download.hpp"
#include "media/download/extractor.hpp"
#include "media/download/json_read.hpp"
#include "media/download/tool_check.hpp"
#include "media/files/digest.hpp"
#include "media/files/publish.hpp"
#include "tests/media/download/origin.hpp"
#include "tests/media/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <fstream>
#include <future>
#include <mutex>
#include <set>
#include <thread>

/// One attempt with the real yt-dlp against a local origin.
namespace troupe::media {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::HasSubstr;

/// Remembers all that an attempt says, and can be waited for.
class remembering_sink : public attempt_sink {
public:
  void on_progress(const progress& now) override {
    const std::lock_guard lock{mutex_};
    seen_.push_back(now);
    changed_.notify_all();
  }
  void on_checkpoint(std::string json) override {
    const std::lock_guard lock{mutex_};
    checkpoint_ = std::move(json);
  }
  void on_done(attempt_outcome outcome) override {
    const std::lock_guard lock{mutex_};
    outcome_ = std::move(outcome);
    changed_.notify_all();
  }

  bool wait_for_bytes(std::int64_t bytes) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, 30s, [&] {
      return outcome_ || (!seen_.empty() && seen_.back().done >= bytes);
    }) && !outcome_;
  }
  attempt_outcome wait(std::chrono::seconds limit = 60s) {
    std::unique_lock lock{mutex_};
    if (!changed_.wait_for(lock, limit,
                           [this] { return outcome_.has_value(); }))
      return failure_report{errc::timeout, "the test waited in vain", 0};
    return *outcome_;
  }
  std::vector<progress> seen() {
    const std::lock_guard lock{mutex_};
    return seen_;
  }
  std::string checkpoint() {
    const std::lock_guard lock{mutex_};
    return checkpoint_;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<progress> seen_;
  std::string checkpoint_;
  std::optional<attempt_outcome> outcome_;
};

struct one_attempt {
  std::shared_ptr<remembering_sink> sink = std::make_shared<remembering_sink>();
  std::unique_ptr<attempt> work;
};

config::source_settings allowing(std::vector<std::string> blocks) {
  config::source_settings sources;
  sources.allow = std::move(blocks);
  return sources;
}

class DownloadRun : public testing::Test {
protected:
  DownloadRun()
    : guard_(allowing({"127.0.0.1/32"})), runner_(threads_, TROUPE_TEST_GUARD),
      proxy_(threads_, guard_),
      origin_(folder_.path() / "media"), services_{tools_,           threads_,
                                                   runner_,          proxy_,
                                                   guard_,           nullptr,
                                                   TROUPE_TEST_CODEC} {
    EXPECT_TRUE(proxy_.start());
    tools_.cookies_dir = folder_.path() / "cookies";
    fs::create_directories(tools_.cookies_dir);
  }

  fs::path library() {
    return folder_.path() / "library";
  }

  one_attempt start(const std::string& params, std::string checkpoint = {},
                    std::uint64_t epoch = 1) {
    attempt_task task;
    task.id = "job1";
    task.epoch = epoch;
    task.type = "download";
    task.params = params;
    task.checkpoint = std::move(checkpoint);
    task.library = library();
    one_attempt made;
    made.work = make_download(services_, task, made.sink);
    made.work->start();
    return made;
  }

  attempt_outcome outcome_of(const std::string& params) {
    auto made = start(params);
    return made.sink->wait();
  }

  errc failure_of(const std::string& params) {
    const auto outcome = outcome_of(params);
    const auto* why = std::get_if<failure_report>(&outcome);
    if (why)
      message_ = why->message;
    return why ? why->code : errc::none;
  }

  /// `{"url": …}` with more fields behind it.
  std::string params(const std::string& path, const std::string& more = {}) {
    return R"({"url": ")" + origin_.url(path) + "\"" + more + "}";
  }

  temporary_folder folder_;
  runtime threads_;
  address_guard guard_;
  tool_runner runner_;
  egress_proxy proxy_;
  origin origin_;
  config::tool_settings tools_;
  download_services services_;
  std::string message_;
};

const finished* success(const attempt_outcome& outcome) {
  if (const auto* why = std::get_if<failure_report>(&outcome))
    ADD_FAILURE() << code_of(why->code) << ": " << why->message;
  return std::get_if<finished>(&outcome);
}

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
}

TEST_F(DownloadRun, RefusesAddressesOnEveryWay) {
  origin_.clip("a.mp4", 1);
  origin_.segments("show", 4);
  const auto elsewhere = origin_.url("/files/a.mp4", "127.0.0.3");
  const auto segments = origin_.url("/hls/show/", "127.0.0.3");

  for (const auto& path :
       {"/redirect?to=" + elsewhere, "/page?video=" + elsewhere,
        "/hls/show/index.m3u8?base=" + segments})
    EXPECT_EQ(failure_of(params(path)), errc::source_forbidden)
      << path << ": " << message_;
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

  ASSERT_TRUE(found) << found.error().message();
  EXPECT_THAT(*found, HasSubstr(R"("title":"a")"));
  EXPECT_THAT(*found, HasSubstr(R"("format_id":"mp4")"));
  ASSERT_FALSE(hidden);
  EXPECT_EQ(hidden.error().code, errc::source_forbidden);
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
} // namespace troupe::media
