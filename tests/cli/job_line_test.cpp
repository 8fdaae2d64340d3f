#include "net/cli/job_line.hpp"
#include "net/cli/text.hpp"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

boost::json::value running() {
  return boost::json::parse(R"({"id":"01J","type":"download",
    "state":"running","params":{"url":"https://x.org/a/clip.mp4?b=/c"},
    "progress":{"fraction":0.5,"stage":"download","done":52428800,
      "total":104857600,"unit":"bytes","rate":5242880,"eta_s":10}})");
}

TEST(BarLine, ShowsStageBarBytesRateAndTimeLeft) {
  const auto line = bar_line(running(), 120);

  EXPECT_THAT(line, StartsWith("clip.mp4"));
  EXPECT_THAT(line, HasSubstr(" download "));
  EXPECT_THAT(line, HasSubstr("#."));
  EXPECT_THAT(line, HasSubstr(" 50.0%  50.0 MiB/100.0 MiB  5.0 MiB/s  "
                              "ETA 0:10"));
}

TEST(BarLine, FitsEveryWidth) {
  auto job = running();
  job.as_object()["params"].as_object()["url"] =
    "http://x/日本語の長い題名です";
  for (std::size_t width = 1; width < 200; ++width)
    EXPECT_LE(columns(bar_line(job, width)), width);
}

TEST(BarLine, SaysThatTheFractionIsUnknown) {
  auto job = running();
  job.as_object()["progress"].as_object()["fraction"] = nullptr;

  EXPECT_THAT(bar_line(job, 120), HasSubstr("?"));
  EXPECT_THAT(bar_line(job, 120), Not(HasSubstr("%")));
}

TEST(TitleOf, PrefersTheResultToTheUrlToTheType) {
  auto job = running();
  EXPECT_EQ(title_of(job), "clip.mp4");
  job.as_object()["result"] = {{"title", "A clip"}};
  EXPECT_EQ(title_of(job), "A clip");
  EXPECT_EQ(title_of(boost::json::parse(R"({"type":"noop"})")), "noop");
  EXPECT_EQ(title_of(nullptr), "");
}

TEST(OutcomeText, TellsTheFileOrTheError) {
  EXPECT_EQ(outcome_text(boost::json::parse(
              R"({"state":"succeeded","result":{"path":"/l/a.mp4",
              "size":2048,"duration_s":60}})")),
            "succeeded  /l/a.mp4  2.0 KiB  1:00");
  EXPECT_EQ(outcome_text(boost::json::parse(
              R"({"state":"failed","error":{"code":"too_large",
              "message":"over\u001b 5"}})")),
            "failed  too_large: over  5");
}

} // namespace
} // namespace troupe::cli
