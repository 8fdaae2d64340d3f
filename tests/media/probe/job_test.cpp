#include "media/probe/job.hpp"

#include "config/sanitizers.hpp"
#include "media/download/json_read.hpp"
#include "tests/media/download/origin.hpp"
#include "tests/media/temporary_folder.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <future>
#include <thread>

/// Probes as attempts: what is told, and how each source ends them.
namespace troupe::media {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class ending_sink final : public attempt_sink {
public:
  void on_progress(const progress&) override {}
  using attempt_sink::on_checkpoint;
  void on_checkpoint(std::string, std::vector<child_job>) override {}
  void on_log(std::string_view) override {}
  void on_done(attempt_outcome outcome) override {
    ended_.set_value(std::move(outcome));
  }
  attempt_outcome wait() {
    auto end = ended_.get_future();
    if (end.wait_for(60s) == std::future_status::ready)
      return end.get();
    return failure_report{errc::internal, "the test waited in vain", 0};
  }

private:
  std::promise<attempt_outcome> ended_;
};

config::source_settings only_first_loopback() {
  config::source_settings sources;
  sources.allow = {"127.0.0.1/32"};
  return sources;
}

} // namespace

class ProbeJob : public testing::Test {
protected:
  ProbeJob() {
    fs::create_directories(media_);
    library_.dir = folder_.path() / "library";
    fs::create_directories(library_.dir);
    library_.media_roots = {media_};
    EXPECT_TRUE(proxy_.start());
  }

  std::unique_ptr<attempt> begin(const std::string& source,
                                 const std::shared_ptr<ending_sink>& sink,
                                 bool urgent = false) {
    attempt_task task;
    task.urgent = urgent;
    task.id = "job1";
    task.type = "probe";
    task.params = R"({"source": ")" + source + "\"}";
    task.library = library_.dir;
    task.result_of = [this](const std::string& job, const result_heard& heard) {
      asked_ = job;
      heard(job_result_);
    };
    auto made = make_probe(services_, std::move(task), sink);
    made->start();
    return made;
  }

  attempt_outcome run(const std::string& source, bool urgent = false) {
    const auto sink = std::make_shared<ending_sink>();
    const auto made = begin(source, sink, urgent);
    return sink->wait();
  }

  errc code(const std::string& source) {
    const auto outcome = run(source);
    const auto* why = std::get_if<failure_report>(&outcome);
    message_ = why ? why->message : "";
    return why ? why->code : errc::none;
  }

  json::object facts(const std::string& source) {
    const auto outcome = run(source);
    if (const auto* done = std::get_if<finished>(&outcome))
      return parse_object(done->result).value_or(json::object{});
    const auto& why = std::get<failure_report>(outcome);
    ADD_FAILURE() << code_of(why.code) << ": " << why.message;
    return {};
  }

  std::string order(const char* name, const std::string& fault) {
    std::ofstream{media_ / name} << "fault:" << fault << "\n";
    return std::string{"local:///"} + name;
  }

  temporary_folder folder_;
  const fs::path media_ = folder_.path() / "media";
  runtime threads_;
  address_guard guard_{only_first_loopback()};
  codec_children children_{threads_, TROUPE_TEST_CODEC, few_bytes()};
  egress_proxy proxy_{threads_, guard_};
  host_pauses pauses_;
  range_fetcher fetcher_;
  bad_sources bad_{600s};
  remote_share remote_{1, 1};
  config::library_settings library_;
  origin origin_{media_};
  probe_services services_{threads_, children_, library_, guard_, proxy_,
                           fetcher_, pauses_,   bad_,     remote_};
  result<std::string> job_result_{std::string{}};
  std::string asked_;
  std::string message_;

private:
  static child_limits few_bytes() {
    child_limits limits;
    limits.memory = 256u << 20;
    return limits;
  }
};

TEST_F(ProbeJob, TellsAFileAndWhatItTook) {
  origin_.clip("a.mp4", 2);

  const auto outcome = run("local:///a.mp4");

  const auto* done = std::get_if<finished>(&outcome);
  ASSERT_TRUE(done);
  EXPECT_EQ(text_of(*parse_object(done->result), "container"), "mp4");
  EXPECT_GT(done->used.peak_memory, 1u << 20);
}

TEST_F(ProbeJob, TellsTheSameOfAFileOverHttp) {
  origin_.clip("a.mp4", 60);
  ASSERT_GT(fs::file_size(media_ / "a.mp4"), 1u << 20);
  const auto here = facts("local:///a.mp4");

  EXPECT_EQ(facts(origin_.url("/files/a.mp4")), here);
  EXPECT_EQ(facts(origin_.url("/redirect?to=/files/a.mp4")), here);
  EXPECT_EQ(facts(origin_.url("/files/a.mp4?ranges=no")), here);
}

TEST_F(ProbeJob, ReadsOnlySomeOfARemoteFile) {
  origin_.clip("a.mp4", 2);
  // The index stands at the end, behind what need not be read.
  const auto move = "ffmpeg -v error -nostdin -f lavfi -i "
                    "testsrc2=duration=20:size=1280x720:rate=25 -c:v libx264 "
                    "-preset ultrafast -crf 5 -y "
                    + (media_ / "b.mp4").string();
  ASSERT_EQ(std::system(move.c_str()), 0);
  ASSERT_GT(fs::file_size(media_ / "b.mp4"), 8u << 20);

  EXPECT_EQ(text_of(facts(origin_.url("/files/b.mp4")), "container"), "mp4");

  const auto log = origin_.log();
  std::size_t asked = 0;
  for (auto at = log.find("/files/b.mp4"); at != log.npos;
       at = log.find("/files/b.mp4", at + 1))
    ++asked;
  EXPECT_LT(asked, 12u);
}

TEST_F(ProbeJob, TellsWhyARemoteSourceCannotBeRead) {
  origin_.clip("a.mp4", 60);

  EXPECT_EQ(code(origin_.url("/files/none.mp4")), errc::source_not_found);
  EXPECT_EQ(code(origin_.url("/status/403")), errc::source_private);
  EXPECT_EQ(code(origin_.url("/status/503")), errc::source_unavailable);
  EXPECT_EQ(code(origin_.url("/files/a.mp4?drop_after=300000")),
            errc::source_unavailable)
    << message_;
  EXPECT_EQ(code(origin_.url("/files/a.mp4", "127.0.0.3")),
            errc::source_forbidden);
  EXPECT_EQ(code(origin_.url("/redirect?to="
                             + origin_.url("/files/a.mp4", "127.0.0.3"))),
            errc::source_forbidden);
  EXPECT_EQ(code("http://10.1.2.3/a.mp4"), errc::source_forbidden);
  EXPECT_EQ(code("ftp://127.0.0.1/a.mp4"), errc::bad_params);
}

TEST_F(ProbeJob, LeavesAHostAloneThatAskedForAPause) {
  const auto outcome = run(origin_.url("/status/429?retry_after=30"));
  EXPECT_EQ(std::get<failure_report>(outcome).code, errc::rate_limited);
  EXPECT_EQ(std::get<failure_report>(outcome).retry_after_s, 30);

  const auto next = run(origin_.url("/files/a.mp4"));

  EXPECT_EQ(std::get<failure_report>(next).code, errc::rate_limited);
  EXPECT_TRUE(std::get<failure_report>(next).untried);
}

TEST_F(ProbeJob, EndsAtOnceWhenItsSourceHangs) {
  origin_.clip("a.mp4", 2);
  const auto sink = std::make_shared<ending_sink>();
  const auto made = begin(origin_.url("/files/a.mp4?stall_after=1000"), sink);

  made->cancel(errc::cancelled);

  EXPECT_EQ(std::get<failure_report>(sink->wait()).code, errc::cancelled);
}

TEST_F(ProbeJob, GivesItsSlotBackWhereOthersWaitForRemoteServers) {
  origin_.clip("a.mp4", 2);
  const auto url = origin_.url("/files/a.mp4");
  const auto sink = std::make_shared<ending_sink>();
  const auto hangs = begin(url + "?stall_after=0", sink);

  for (const double least : {2.0, 2.05}) {
    const auto outcome = run(url);
    const auto& why = std::get<failure_report>(outcome);
    EXPECT_EQ(why.code, errc::interrupted);
    EXPECT_TRUE(why.untried);
    EXPECT_GE(why.retry_after_s, least);
  }
  const auto waited_for = run(url, true);
  EXPECT_TRUE(std::holds_alternative<finished>(waited_for))
    << "who is waited for has a place of its own";
  hangs->cancel(errc::cancelled);
  sink->wait();

  EXPECT_EQ(text_of(facts(url), "container"), "mp4");
}

TEST_F(ProbeJob, TellsTheFileThatAJobHasMade) {
  const auto path = origin_.clip("a.mp4", 2);
  fs::rename(path, library_.dir / "a.mp4");
  job_result_ = R"({"path": ")" + (library_.dir / "a.mp4").string() + "\"}";

  EXPECT_EQ(text_of(facts("job:01J"), "container"), "mp4");
  EXPECT_EQ(asked_, "01J");
}

TEST_F(ProbeJob, ReadsNoFileOutsideTheLibraryWhateverAResultSays) {
  std::ofstream{folder_.path() / "secret"} << "secret";
  fs::create_symlink(folder_.path() / "secret", library_.dir / "way-out");
  for (const auto& path :
       {folder_.path() / "secret", library_.dir / ".." / "secret",
        library_.dir / "way-out"}) {
    job_result_ = R"({"path": ")" + path.string() + "\"}";
    EXPECT_EQ(code("job:01J"), errc::source_forbidden) << path;
  }
  job_result_ = std::string{"{}"};
  EXPECT_EQ(code("job:01J"), errc::source_not_found);
  job_result_ = fail(errc::source_unavailable, "it is running");
  EXPECT_EQ(code("job:01J"), errc::source_unavailable);
}

TEST_F(ProbeJob, RefusesASourceThatCrashedTwiceUntilItIsAnother) {
  const auto source = order("bad.mp4", "crash");
  EXPECT_EQ(code(source), errc::crashed);
  EXPECT_EQ(code(source), errc::crashed);
  EXPECT_EQ(code(source), errc::poison_source);
  EXPECT_FALSE(may_pass(errc::poison_source));

  EXPECT_EQ(code(order("good.mp4", "none")), errc::invalid_media);
  EXPECT_EQ(code(order("bad.mp4", "none, and longer")), errc::invalid_media);
}

TEST_F(ProbeJob, RefusesARemoteSourceThatCrashedTwice) {
  order("bad.mp4", "crash");
  const auto source = origin_.url("/files/bad.mp4");

  EXPECT_EQ(code(source), errc::crashed);
  EXPECT_EQ(code(source), errc::crashed);
  EXPECT_EQ(code(source), errc::poison_source);
}

TEST_F(ProbeJob, NeverBlamesASourceForItsSandbox) {
  if (is_sanitized)
    GTEST_SKIP() << "no seccomp under a sanitizer";
  const auto source = order("odd.mp4", "fork");
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(code(source), errc::sandbox);
}

TEST_F(ProbeJob, TellsOfAFileThatChangedWhileItWasRead) {
  const auto sink = std::make_shared<ending_sink>();
  const auto made = begin(order("film.mp4", "sleep"), sink);
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (children_.count() == 0 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();

  std::ofstream{media_ / "film.mp4", std::ios::app} << "more";

  const auto outcome = sink->wait();
  ASSERT_TRUE(std::holds_alternative<failure_report>(outcome));
  EXPECT_EQ(std::get<failure_report>(outcome).code, errc::source_changed);
}

TEST_F(ProbeJob, TellsTooMuchMemoryAsSuch) {
  if (is_sanitized)
    GTEST_SKIP() << "a sanitizer maps terabytes";
  EXPECT_EQ(code(order("large.mp4", "eat")), errc::memory);
}

TEST_F(ProbeJob, TakesOnlyRegularFilesBeneathItsRoots) {
  std::ofstream{folder_.path() / "secret.mp4"} << "secret";
  std::ofstream{media_ / "empty.mp4"};
  std::ofstream{media_ / "sparse.mp4"};
  fs::resize_file(media_ / "sparse.mp4", 5'000'000'000'000);
  fs::create_directory(media_ / "folder");
  fs::create_symlink(folder_.path() / "secret.mp4", media_ / "way-out.mp4");
  fs::create_symlink("/dev/zero", media_ / "device.mp4");
  ASSERT_EQ(::mkfifo((media_ / "fifo.mp4").c_str(), 0600), 0);

  EXPECT_EQ(code("local:///empty.mp4"), errc::invalid_media);
  EXPECT_EQ(code("local:///sparse.mp4"), errc::invalid_media);
  EXPECT_EQ(code("local:///folder"), errc::invalid_media);
  EXPECT_EQ(code("local:///fifo.mp4"), errc::invalid_media);
  EXPECT_EQ(code("local:///way-out.mp4"), errc::source_forbidden);
  EXPECT_EQ(code("local:///device.mp4"), errc::source_forbidden);
  EXPECT_EQ(code("local:///none.mp4"), errc::source_not_found);
}

TEST_F(ProbeJob, TakesADeviceForNoFileThoughItLiesBeneathARoot) {
  library_.media_roots = {"/dev"};

  EXPECT_EQ(code("local:///zero"), errc::invalid_media);
}

} // namespace troupe::media
