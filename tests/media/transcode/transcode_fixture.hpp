#pragma once

#include "media/av/pack.hpp"
#include "media/av/task.hpp"
#include "media/download/json_read.hpp"
#include "media/fetch/range_fetcher.hpp"
#include "media/files/publish.hpp"
#include "media/probe/bad_sources.hpp"
#include "media/stream/service.hpp"
#include "media/transcode/job.hpp"
#include "media/transcode/plan.hpp"
#include "tests/media/av/films_fixture.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>

namespace troupe::media {

/// Hears of an attempt; on any thread.
class watching_sink final : public attempt_sink {
public:
  void on_progress(const progress& now) override {
    const std::lock_guard lock{mutex_};
    seen_.push_back(now);
    changed_.notify_all();
  }
  using attempt_sink::on_checkpoint;
  void on_checkpoint(std::string json, std::vector<child_job>) override {
    const std::lock_guard lock{mutex_};
    checkpoint_ = std::move(json);
  }
  void on_log(std::string_view) override {}
  void on_done(attempt_outcome outcome) override {
    const std::lock_guard lock{mutex_};
    outcome_ = std::move(outcome);
    changed_.notify_all();
  }

  /// True once progress has come to that; false at its end, or too late.
  bool wait_for_fraction(double fraction) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, std::chrono::seconds{60}, [&] {
      return outcome_ || (!seen_.empty() && seen_.back().fraction >= fraction);
    });
    return !outcome_;
  }
  attempt_outcome wait() {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, std::chrono::seconds{100},
                      [this] { return outcome_.has_value(); });
    return outcome_.value_or(
      failure_report{errc::internal, "the test waited in vain", 0});
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

/// Conversions as attempts, of films that the ffmpeg command makes.
class Transcodes : public Films {
protected:
  Transcodes() {
    settings_.library.dir = folder_.path() / "library";
    settings_.library.media_roots = {folder_.path()};
    settings_.data.dir = folder_.path() / "data";
    settings_.streams.cache_dir = folder_.path() / "data" / "streams";
    settings_.streams.keys = {std::string(64, 'a')};
    std::filesystem::create_directories(settings_.library.dir);
    std::filesystem::create_directories(settings_.data.dir);
    EXPECT_TRUE(proxy_.start());
    auto opened = stream_service::open(
      {settings_, threads_, proxy_, fetcher_, children_, bad_});
    EXPECT_TRUE(opened);
    if (opened)
      streams_ = std::move(*opened);
    services_.emplace(
      transcode_services{threads_, children_, *streams_, settings_.library, 2});
  }

  /// @param more members of the params, after a comma
  std::unique_ptr<attempt> begin(const std::string& name,
                                 const std::string& more,
                                 const std::shared_ptr<watching_sink>& sink,
                                 std::uint64_t epoch = 1,
                                 const std::string& job = "job1") {
    attempt_task task;
    task.id = job;
    task.epoch = epoch;
    task.type = "transcode";
    task.params = R"({"source": "local:///)" + name + "\"" + more + "}";
    task.library = settings_.library.dir;
    auto made = make_transcode(*services_, std::move(task), sink);
    made->start();
    return made;
  }

  attempt_outcome run(const std::string& name, const std::string& more = {},
                      const std::string& job = "job1") {
    sink_ = std::make_shared<watching_sink>();
    const auto made = begin(name, more, sink_, 1, job);
    return sink_->wait();
  }

  /// The staged file, by its path from the folder of films.
  std::string make_film(const std::string& name, const std::string& more = {},
                        const std::string& job = "job1") {
    const auto outcome = run(name, more, job);
    if (const auto* why = std::get_if<failure_report>(&outcome)) {
      ADD_FAILURE() << code_of(why->code) << ": " << why->message;
      return {};
    }
    const auto& done = std::get<finished>(outcome);
    result_ = parse_object(done.result).value_or(json::object{});
    files_ = done.files;
    used_ = done.used;
    return std::filesystem::path{done.files.front().staged}
      .lexically_relative(folder_.path())
      .string();
  }

  errc code(const std::string& name, const std::string& more = {}) {
    const auto outcome = run(name, more);
    const auto* why = std::get_if<failure_report>(&outcome);
    message_ = why ? why->message : "";
    return why ? why->code : errc::none;
  }

  /// Of what lies in the job's work folder.
  [[nodiscard]] std::vector<pack_entry>
  packed(const std::string& job = "job1") const {
    const descriptor file{
      ::open((work_folder(settings_.library.dir, job) / "pack").c_str(),
             O_RDONLY | O_CLOEXEC)};
    return file ? read_pack(file.get(), true) : std::vector<pack_entry>{};
  }

  config::settings settings_;
  address_guard guard_{config::source_settings{}};
  egress_proxy proxy_{threads_, guard_};
  range_fetcher fetcher_;
  bad_sources bad_{std::chrono::seconds{600}};
  std::unique_ptr<stream_service> streams_;
  std::optional<transcode_services> services_;
  std::shared_ptr<watching_sink> sink_;
  json::object result_;
  std::vector<staged_file> files_;
  attempt_usage used_;
  std::string message_;
};

} // namespace troupe::media
