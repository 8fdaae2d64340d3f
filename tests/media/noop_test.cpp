#include "media/noop/noop.hpp"
#include "media/runtime.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <mutex>
#include <optional>
#include <thread>

namespace troupe::media {
namespace {

using namespace std::chrono_literals;

/// Keeps the outcome of an attempt that ends before `start` returns.
class keeping_sink final : public attempt_sink {
public:
  void on_progress(const progress&) override {}
  void on_checkpoint(std::string, std::vector<child_job>) override {}
  void on_log(std::string_view) override {}
  void on_done(attempt_outcome outcome) override {
    done = std::move(outcome);
  }

  std::optional<attempt_outcome> done;
};

/// Hears an attempt that runs, on other threads.
class hearing_sink final : public attempt_sink {
public:
  void on_progress(const progress& now) override {
    const std::lock_guard lock{mutex_};
    if (!first_)
      first_ = now.fraction;
  }
  void on_checkpoint(std::string json, std::vector<child_job>) override {
    const std::lock_guard lock{mutex_};
    checkpoint_ = std::move(json);
  }
  void on_log(std::string_view) override {}
  void on_done(attempt_outcome outcome) override {
    done_.set_value(std::move(outcome));
  }

  std::optional<attempt_outcome> wait(std::chrono::seconds limit) {
    auto end = done_.get_future();
    if (end.wait_for(limit) != std::future_status::ready)
      return std::nullopt;
    return end.get();
  }
  double first_progress() {
    const std::lock_guard lock{mutex_};
    return first_.value_or(-1);
  }
  std::string checkpoint() {
    const std::lock_guard lock{mutex_};
    return checkpoint_;
  }

private:
  std::mutex mutex_;
  std::optional<double> first_;
  std::string checkpoint_;
  std::promise<attempt_outcome> done_;
};

TEST(Noop, GoesOnFromWhereItWasStopped) {
  runtime threads;
  const auto sink = std::make_shared<hearing_sink>();
  attempt_task task;
  task.attempt = 1;
  task.params = R"({"sleep_ms":60000,"steps":60})";
  task.checkpoint = R"({"slept_ms":30000})";
  const auto begun = std::chrono::steady_clock::now();

  const auto it = make_noop(threads, task, sink);
  it->start();
  while (sink->checkpoint().empty()
         && std::chrono::steady_clock::now() - begun < 20s)
    std::this_thread::sleep_for(5ms);
  it->cancel(errc::interrupted);
  const auto end = sink->wait(20s);

  ASSERT_TRUE(end);
  EXPECT_EQ(std::get<failure_report>(*end).code, errc::interrupted);
  EXPECT_EQ(sink->first_progress(), 0.5);
  const auto ran = std::chrono::steady_clock::now() - begun;
  const auto saved = sink->checkpoint();
  ASSERT_TRUE(saved.starts_with(R"({"slept_ms":3)")) << saved;
  EXPECT_LE(std::stol(saved.substr(12)) - 30'000, ran / 1ms) << saved;
}

TEST(Noop, HasNothingLeftToSleepWhenAllWasSlept) {
  runtime threads;
  const auto sink = std::make_shared<hearing_sink>();
  attempt_task task;
  task.attempt = 1;
  task.params = R"({"sleep_ms":3600000,"steps":7})";
  task.checkpoint = R"({"slept_ms":3600000})";

  const auto it = make_noop(threads, task, sink);
  it->start();
  const auto end = sink->wait(20s);

  ASSERT_TRUE(end);
  EXPECT_TRUE(std::holds_alternative<finished>(*end));
  EXPECT_EQ(sink->first_progress(), 1);
}

TEST(Noop, RefusesWhatItsSchemaHasNotSeen) {
  runtime threads;
  for (const auto* params :
       {R"({"sleep_ms":"30"})", R"({"steps":0})", R"({"steps":-1})",
        R"({"sleep_ms":9223372036854775807})", R"({"output_bytes":1e15})",
        R"({"fail_times":null})", "[]", "{"}) {
    const auto sink = std::make_shared<keeping_sink>();
    attempt_task task;
    task.params = params;

    make_noop(threads, task, sink)->start();

    ASSERT_TRUE(sink->done) << params;
    const auto* why = std::get_if<failure_report>(&*sink->done);
    ASSERT_TRUE(why) << params;
    EXPECT_EQ(why->code, errc::bad_params) << params;
  }
}

} // namespace
} // namespace troupe::media
