#include "media/noop/noop.hpp"
#include "media/runtime.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace troupe::media {
namespace {

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
