#include "actors/system.hpp"

#include "config/metrics.hpp"
#include "media/workbench.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <future>
#include <thread>

/// A whole node: real store, real threads, the attempts of this build.
namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

class temporary_folder {
public:
  temporary_folder() {
    std::string name =
      (std::filesystem::temp_directory_path() / "troupe-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~temporary_folder() {
    std::filesystem::remove_all(path);
  }
  std::filesystem::path path;
};

class NodeTest : public ::testing::Test {
protected:
  NodeTest() {
    settings.store.url =
      "sqlite:" + (folder.path / "data" / "queue.db").string();
    settings.data.dir = folder.path / "data";
    settings.library.dir = folder.path / "library";
    settings.pools.drain_s = 5;
    std::filesystem::create_directories(settings.data.dir);
    std::filesystem::create_directories(settings.library.dir);
    bench = *media::workbench::open(settings, metrics, "troupe");
    open();
  }

  void open() {
    auto opened = node::open(settings, *bench, metrics);
    ASSERT_TRUE(opened) << opened.error().message();
    it = std::move(*opened);
  }

  /// Asks, and waits for the answer.
  template <class T, class Ask>
  result<T> ask(Ask how) {
    auto answer = std::make_shared<std::promise<result<T>>>();
    auto heard = answer->get_future();
    how([answer](result<T> outcome) { answer->set_value(std::move(outcome)); });
    if (heard.wait_for(20s) != std::future_status::ready)
      return fail(errc::deadline);
    return heard.get();
  }

  result<submit_reply> submit(std::string params) {
    store::submit_op op;
    op.draft.type = "noop";
    op.draft.queue = "bulk";
    op.draft.params = std::move(params);
    return ask<submit_reply>(
      [&](auto reply) { it->edge().submit(std::move(op), std::move(reply)); });
  }

  result<store::job> get(const std::string& id) {
    return ask<store::job>(
      [&](auto reply) { it->edge().get(id, std::move(reply)); });
  }

  /// The job once it is in that state, or as it is after ten seconds.
  store::job wait_for(const std::string& id, store::job_state state) {
    const auto until = std::chrono::steady_clock::now() + 10s;
    for (;;) {
      const auto job = get(id);
      if (job
          && (job->state == state || std::chrono::steady_clock::now() > until))
        return *job;
      if (std::chrono::steady_clock::now() > until)
        return {};
      std::this_thread::yield();
    }
  }

  temporary_folder folder;
  config::settings settings;
  config::metrics metrics;
  std::unique_ptr<media::workbench> bench;
  std::unique_ptr<node> it;
};

TEST_F(NodeTest, RunsAJobToItsEnd) {
  const auto said = submit(R"({"payload":7})");

  ASSERT_TRUE(said) << said.error().message();
  EXPECT_TRUE(said->created);
  const auto job = wait_for(said->job->id, store::job_state::succeeded);
  EXPECT_EQ(job.state, store::job_state::succeeded);
  EXPECT_EQ(job.attempt, 1u);
  EXPECT_TRUE(it->ready().ok());
}

TEST_F(NodeTest, ShowsHowFarAnEndedJobCame) {
  const auto said = submit(R"({"sleep_ms":40,"steps":4})");

  ASSERT_TRUE(said) << said.error().message();
  const auto job = wait_for(said->job->id, store::job_state::succeeded);
  EXPECT_EQ(job.progress.done, 4);
  EXPECT_EQ(job.progress.fraction, 1);
}

TEST_F(NodeTest, PublishesAFileAndLeavesNothingElse) {
  const auto said = submit(R"({"output_bytes":1000})");

  ASSERT_TRUE(said) << said.error().message();
  const auto job = wait_for(said->job->id, store::job_state::succeeded);
  ASSERT_EQ(job.state, store::job_state::succeeded);
  EXPECT_FALSE(job.publishing);
  std::size_t files = 0;
  for (const auto& found :
       std::filesystem::directory_iterator{settings.library.dir / "noop"})
    files += found.is_regular_file();
  EXPECT_EQ(files, 1u) << job.result;
  it.reset();
  bench.reset(); // Its file threads have done everything now.
  for (const auto& left :
       std::filesystem::directory_iterator{settings.library.dir / ".troupe"})
    EXPECT_EQ(left.path().filename(), "library") << left.path();
}

TEST_F(NodeTest, RetriesWhatMayPass) {
  store::submit_op op;
  op.draft.type = "noop";
  op.draft.queue = "bulk";
  op.draft.params = R"({"fail_times":1})";
  op.draft.backoff.initial_s = 0.01;
  const auto said = ask<submit_reply>(
    [&](auto reply) { it->edge().submit(std::move(op), std::move(reply)); });

  ASSERT_TRUE(said) << said.error().message();
  const auto job = wait_for(said->job->id, store::job_state::succeeded);
  EXPECT_EQ(job.state, store::job_state::succeeded);
  EXPECT_EQ(job.attempt, 2u);
  ASSERT_EQ(job.errors.size(), 1u);
  EXPECT_EQ(job.errors[0].code, "fault_asked");
}

TEST_F(NodeTest, CancelsARunningJob) {
  const auto said = submit(R"({"sleep_ms":60000})");
  ASSERT_TRUE(said) << said.error().message();
  wait_for(said->job->id, store::job_state::running);

  const auto told = ask<store::job>([&](auto reply) {
    it->edge().command(job_command_kind::cancel, said->job->id,
                       std::move(reply));
  });

  ASSERT_TRUE(told) << told.error().message();
  EXPECT_EQ(told->state, store::job_state::cancelling);
  const auto job = wait_for(said->job->id, store::job_state::cancelled);
  EXPECT_EQ(job.state, store::job_state::cancelled);
}

TEST_F(NodeTest, DrainsToTheEndAndTakesItsJobsBackAtTheNextStart) {
  settings.pools.drain_s = 0.2;
  it.reset();
  open();
  const auto said = submit(R"({"sleep_ms":60000})");
  ASSERT_TRUE(said) << said.error().message();
  wait_for(said->job->id, store::job_state::running);

  it->drain();
  EXPECT_EQ(it->wait(), 0);
  EXPECT_FALSE(submit("{}"));
  it.reset();
  open();

  const auto job = wait_for(said->job->id, store::job_state::running);
  EXPECT_EQ(job.state, store::job_state::running);
  EXPECT_EQ(job.attempt, 1u) << "a drain spends no budget";
}

TEST_F(NodeTest, RetiresAndAnswersUntilItIsDrained) {
  settings.pools.drain_s = 0.2;
  it.reset();
  open();
  const auto said = submit(R"({"sleep_ms":60000})");
  ASSERT_TRUE(said) << said.error().message();
  wait_for(said->job->id, store::job_state::running);

  it->retire();
  const auto job = wait_for(said->job->id, store::job_state::queued);

  EXPECT_EQ(job.state, store::job_state::queued);
  EXPECT_EQ(job.losses, 0u) << "it spends no budget";
  EXPECT_TRUE(it->ready().draining);
  EXPECT_FALSE(submit("{}"));
  it->retire();
  it->drain();
  EXPECT_EQ(it->wait(), 0);
}

TEST_F(NodeTest, EndsAtOnceWithWorkUnderWay) {
  const auto said = submit(R"({"sleep_ms":60000})");
  ASSERT_TRUE(said) << said.error().message();
  wait_for(said->job->id, store::job_state::running);

  const auto begun = std::chrono::steady_clock::now();
  it.reset();

  EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
}

} // namespace
} // namespace troupe::actors
