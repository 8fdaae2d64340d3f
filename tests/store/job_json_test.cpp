#include "actors/store/job_json.hpp"

#include "actors/store/json_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace troupe::store {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

job sample() {
  job j;
  j.id = "01J0";
  j.type = "download";
  j.queue = "download";
  j.params = R"({"url":"https://e.org/"})";
  j.created_at = 1700000000123;
  return j;
}

TEST(JobJson, ShowsWhatIsUnsetAsNull) {
  const auto text = to_json(sample());

  EXPECT_EQ(text,
            R"({"id":"01J0","type":"download","queue":"download",)"
            R"("state":"queued","priority":5,)"
            R"("params":{"url":"https://e.org/"},"tags":[],"batch":null,)"
            R"("attempt":0,"max_attempts":3,"revision":0,"owner":null,)"
            R"("parent":null,"progress":{"fraction":null,"stage":"","done":0,)"
            R"("total":null,"unit":"","rate":null,"eta_s":null,)"
            R"("message":""},"result":null,"error":null,"errors":[],)"
            R"("node":null,"created_at":"2023-11-14T22:13:20.123Z",)"
            R"("run_at":null,"started_at":null,"finished_at":null,)"
            R"("durability":"memory"})");
}

TEST(JobJson, SplicesParamsAndResultAndShowsTheNewestError) {
  auto j = sample();
  j.state = job_state::failed;
  j.result = R"({"n":[1,2]})";
  j.errors = {{"io_error", "a", true, 1}, {"disk_full", "b", false, 2}};
  j.tags = {"x", "y\"z"};

  const auto text = to_json(j);

  EXPECT_THAT(text, HasSubstr(R"("result":{"n":[1,2]},"error":{"code":)"
                              R"("disk_full","message":"b",)"
                              R"("retryable":false,"attempt":2},)"
                              R"("errors":[{"code":"io_error")"));
  EXPECT_THAT(text, HasSubstr(R"("tags":["x","y\"z"])"));
}

TEST(JobJson, HidesWhatUrlsSayOfUserAndPassword) {
  auto j = sample();
  j.params = R"({"url":"https://ann:secret@e.org/a@b","n":"a@b"})";
  j.result = R"({"source_url":"https://ann:secret@e.org/a@b"})";
  j.errors = {{"io_error", "https://ann:secret@e.org: gone", true, 1}};
  j.progress.message = "reads ftp://secret@e.org";

  const auto text = to_json(j);

  EXPECT_THAT(text, Not(HasSubstr("secret")));
  EXPECT_THAT(text, HasSubstr(R"({"url":"https://***@e.org/a@b","n":"a@b"})"));
  EXPECT_THAT(text, HasSubstr(R"("message":"https://***@e.org: gone")"));
}

TEST(JobJson, ASucceededJobHasNoErrorButThoseOfItsAttempts) {
  auto j = sample();
  j.state = job_state::succeeded;
  j.errors = {{"io_error", "a", true, 1}};

  EXPECT_THAT(to_json(j),
              HasSubstr(R"("error":null,"errors":[{"code":"io_error",)"));
}

TEST(JobJson, WritesNumbersAsPeopleDo) {
  auto j = sample();
  j.progress.fraction = 0.25;
  j.progress.rate = 30000000;
  j.progress.eta_s = 30;

  const auto text = to_json(j);

  EXPECT_THAT(text, HasSubstr(R"("fraction":0.25,)"));
  EXPECT_THAT(text, HasSubstr(R"("rate":30000000,"eta_s":30,)"));
}

TEST(JobJson, ShowsAPublishingJobAsRunningAndNoneOfItsInternals) {
  auto j = sample();
  j.state = job_state::running;
  j.publishing = true;
  j.manifest = {{"/staged/secret", "/library/a", 1, "ff", false}};
  j.checkpoint = R"({"secret":1})";
  j.fence = {3, 12345678901234567890u};

  const auto text = to_json(j);

  EXPECT_THAT(text, HasSubstr(R"("state":"running")"));
  EXPECT_THAT(text, Not(HasSubstr("secret")));
  EXPECT_THAT(text, Not(HasSubstr("12345678901234567890")));
}

TEST(JobJson, ShowsKnownProgressAsNumbers) {
  std::string out;
  append_json(out, media::progress{.25, "download", 1048576, 4194304, "bytes",
                                   5.2e6, 19, "half\n"});

  EXPECT_EQ(out, R"({"fraction":0.25,"stage":"download","done":1048576,)"
                 R"("total":4194304,"unit":"bytes","rate":5200000,)"
                 R"("eta_s":19,"message":"half\n"})");
}

TEST(JsonText, ReplacesBytesThatAreNoUtf8) {
  std::string out;
  json::append_string(out,
                      "a\xFFz\xC3\xA4\xE2\x82\xED\xA0\x80\xF0\x9F\x8E\xAC");

  EXPECT_EQ(out, "\"a\xEF\xBF\xBDz\xC3\xA4"
                 "\xEF\xBF\xBD\xEF\xBF\xBD"
                 "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
                 "\xF0\x9F\x8E\xAC\"");
}

TEST(JsonText, EscapesQuotesBackslashesAndControls) {
  std::string out;
  json::append_string(out, std::string_view{"\"\\\x01\x1f\x7f\t\0", 7});

  EXPECT_EQ(out, R"("\"\\\u0001\u001f\u007f\t\u0000")");
}

TEST(JsonText, WritesNoNumberThatJsonCannotHold) {
  std::string out;
  json::append_number(out, std::numeric_limits<double>::quiet_NaN());
  json::append_number(out, -std::numeric_limits<double>::infinity());

  EXPECT_EQ(out, "nullnull");
}

} // namespace
} // namespace troupe::store
