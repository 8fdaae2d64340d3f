#pragma once

#include "config/sanitizers.hpp"
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
namespace troupe::media::testing_runs {

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
  void on_checkpoint(std::string json, std::vector<child_job>) override {
    const std::lock_guard lock{mutex_};
    checkpoint_ = std::move(json);
  }
  void on_log(std::string_view line) override {
    const std::lock_guard lock{mutex_};
    log_.emplace_back(line);
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
  std::vector<std::string> log_;
  std::optional<attempt_outcome> outcome_;
};

struct one_attempt {
  std::shared_ptr<remembering_sink> sink = std::make_shared<remembering_sink>();
  std::unique_ptr<attempt> work;
};

inline config::source_settings allowing(std::vector<std::string> blocks) {
  config::source_settings sources;
  sources.allow = std::move(blocks);
  return sources;
}

class DownloadRun : public testing::Test {
protected:
  DownloadRun()
    : guard_(allowing({"127.0.0.1/32"})), runner_(threads_, TROUPE_TEST_GUARD),
      children_(threads_, TROUPE_TEST_CODEC), proxy_(threads_, guard_),
      origin_(folder_.path() / "media"), services_{tools_,    threads_, runner_,
                                                   proxy_,    guard_,   nullptr,
                                                   children_, pauses_,  bad_} {
    EXPECT_TRUE(proxy_.start());
    tools_.cookies_dir = folder_.path() / "cookies";
    tools_.nice = 0; // tests beside this one would starve it
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
  codec_children children_;
  egress_proxy proxy_;
  origin origin_;
  config::tool_settings tools_;
  host_pauses pauses_;
  bad_sources bad_{600s};
  download_services services_;
  std::string message_;
};

inline const finished* success(const attempt_outcome& outcome) {
  if (const auto* why = std::get_if<failure_report>(&outcome))
    ADD_FAILURE() << code_of(why->code) << ": " << why->message;
  return std::get_if<finished>(&outcome);
}

} // namespace troupe::media::testing_runs
