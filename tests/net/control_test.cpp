#include "net/batch_reader.hpp"
#include "net/control_reader.hpp"
#include "net/job_submit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::net {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

namespace {

template <class T>
std::vector<std::string> pointers(const std::variant<T, problem>& read) {
  std::vector<std::string> out;
  if (const auto* what = std::get_if<problem>(&read))
    for (const auto& each : what->errors)
      out.push_back(each.pointer);
  return out;
}

template <class T>
T good(std::variant<T, problem> read) {
  if (const auto* what = std::get_if<problem>(&read))
    ADD_FAILURE() << to_json(*what);
  auto* it = std::get_if<T>(&read);
  return it ? std::move(*it) : T{};
}

struct batch_reading : testing::Test {
  std::variant<batch_request, problem> read(std::string_view body) {
    int last = 0;
    return reader.read(body, [&last] { return "id" + std::to_string(last++); });
  }

  config::source_settings sources;
  media::address_guard guard{sources};
  batch_reader reader{guard};
};

struct schedule_reading : testing::Test {
  config::source_settings sources;
  media::address_guard guard{sources};
  schedule_reader reader{guard};
};

} // namespace

TEST_F(batch_reading, NamesSiblingsByTheirIds) {
  const auto batch = good(read(
    R"({"tags":["t"],"jobs":[
      {"type":"noop","params":{}},
      {"type":"noop","params":{},"depends_on":["#0","#0","job-x"]},
      {"type":"noop","params":{"payload":"{{job:#1.result.path}} {{job:#0.source}}"}}]})"));

  ASSERT_EQ(batch.jobs.size(), 3u);
  EXPECT_THAT(batch.tags, ElementsAre("t"));
  EXPECT_EQ(batch.jobs[0].id, "id0");
  EXPECT_THAT(batch.jobs[0].depends_on, IsEmpty());
  EXPECT_THAT(batch.jobs[1].depends_on, ElementsAre("id0", "job-x"));
  EXPECT_THAT(batch.jobs[2].depends_on, UnorderedElementsAre("id0", "id1"));
  EXPECT_EQ(batch.jobs[2].params,
            R"({"payload":"{{job:id1.result.path}} {{job:id0.source}}"})");
}

TEST_F(batch_reading, LetsWhatIsHandedOnStandForAnUrl) {
  const auto batch = good(read(
    R"({"jobs":[{"type":"noop","params":{}},
      {"type":"download","params":{"url":"{{job:#0.result.url}}"}}]})"));

  EXPECT_THAT(batch.jobs.at(1).depends_on, ElementsAre("id0"));
}

TEST_F(batch_reading, NamesEveryWrongFieldOfEveryJob) {
  EXPECT_THAT(
    pointers(read(R"({"x":1,"callback_url":"http://127.0.0.1/","jobs":[
      {"type":"noop","params":{"sleep_ms":-1}}, 7,
      {"type":"noop","params":{},"depends_on":["a b","#x"],"colour":1}]})")),
    UnorderedElementsAre("/x", "/callback_url", "/jobs/0/params/sleep_ms",
                         "/jobs/1", "/jobs/2/depends_on/0",
                         "/jobs/2/depends_on/1", "/jobs/2/colour"));
  EXPECT_THAT(pointers(read(R"({"jobs":[]})")), ElementsAre("/jobs"));
  EXPECT_THAT(pointers(read("{}")), ElementsAre("/jobs"));
}

TEST_F(batch_reading, RefusesSiblingsThatAreNoneOrWaitForThemselves) {
  const std::string noop = R"({"type":"noop","params":{}})";

  EXPECT_THAT(
    pointers(
      read(R"({"jobs":[{"type":"noop","params":{},"depends_on":["#1"]}]})")),
    ElementsAre("/jobs/0/depends_on/0"));
  EXPECT_THAT(
    pointers(
      read(R"({"jobs":[{"type":"noop","params":{},"depends_on":["#0"]}]})")),
    ElementsAre("/jobs/0/depends_on/0"));
  EXPECT_THAT(
    pointers(read(
      R"({"jobs":[{"type":"noop","params":{"payload":"{{job:#9.source}}"}}]})")),
    ElementsAre("/jobs/0/params"));
  EXPECT_THAT(pointers(read(R"({"jobs":[)" + noop + R"(,
      {"type":"noop","params":{},"depends_on":["#2"]},
      {"type":"noop","params":{"payload":"{{job:#1.source}}"}}]})")),
              UnorderedElementsAre("/jobs/1/depends_on", "/jobs/2/depends_on"));
}

TEST_F(batch_reading, RefusesWhatNoJobCanLeave) {
  for (const std::string what :
       {".nix", "", ".result", ".result.", ".sources", ".source.path"}) {
    const auto jobs = [&](const std::string& name) {
      return read(R"({"jobs":[{"type":"noop","params":{}},{"type":"noop",
        "params":{"payload":"{{job:)"
                  + name + what + R"(}}"},"depends_on":["abc-1"]}]})");
    };
    EXPECT_THAT(pointers(jobs("#0")), ElementsAre("/jobs/1/params")) << what;
    EXPECT_THAT(pointers(jobs("abc-1")), ElementsAre("/jobs/1/params")) << what;
    // Nothing of ours.
    EXPECT_EQ(good(jobs("other")).jobs.size(), 2u);
  }
}

TEST_F(batch_reading, TakesTenThousandJobsAndNoMore) {
  std::string body = R"({"jobs":[{"type":"noop","params":{}})";
  for (int i = 1; i < 10000; ++i)
    body += R"(,{"type":"noop","params":{},"depends_on":["#)"
            + std::to_string(i - 1) + "\"]}";

  EXPECT_EQ(good(read(body + "]}")).jobs.size(), 10000u);
  EXPECT_THAT(pointers(read(body + R"(,{"type":"noop","params":{}}]})")),
              ElementsAre("/jobs"));
}

TEST_F(batch_reading, BoundsDependenciesOfAllJobsTogether) {
  std::string parents;
  for (int i = 0; i < 1000; ++i)
    parents += (i == 0 ? "\"job-" : ",\"job-") + std::to_string(i) + '"';
  const auto body = [&](int jobs, const std::string& first) {
    std::string all = R"({"jobs":[)" + first;
    for (int i = 0; i < jobs; ++i)
      all += R"(,{"type":"noop","params":{},"depends_on":[)" + parents + "]}";
    return all + "]}";
  };
  const std::string free = R"({"type":"noop","params":{}})";
  const std::string one =
    R"({"type":"noop","params":{"payload":"{{job:#1.source}}"}})";

  EXPECT_EQ(good(read(body(20, free))).jobs.size(), 21u);
  EXPECT_THAT(pointers(read(body(20, one))), ElementsAre("/jobs"));
}

TEST_F(batch_reading, AsksForTheMostDurableOfItsStrictJobs) {
  const auto batch = good(read(R"({"jobs":[
      {"type":"noop","params":{},"durability":"replica"},
      {"type":"noop","params":{},"durability":"interval",
       "durability_strict":true},
      {"type":"noop","params":{},"durability":"disk",
       "durability_strict":true}]})"));

  EXPECT_EQ(batch.durability, store::durability::disk);
  EXPECT_EQ(batch.required, store::durability::disk);
  EXPECT_EQ(batch.asked, store::durability::replica);
}

TEST(limits_reading, TellsNoLimitFromNothingSaid) {
  const auto both = good(read_limits(R"({"concurrency":3,"rate_per_s":0.5})"));
  const auto none = good(read_limits(R"({"concurrency":null,"rate_per_s":0})"));
  const auto silent = good(read_limits("{}"));

  EXPECT_EQ(both.concurrency, 3u);
  EXPECT_EQ(both.rate_per_s, 0.5);
  EXPECT_EQ(none.concurrency, 0u);
  EXPECT_EQ(none.rate_per_s, 0);
  EXPECT_FALSE(silent.concurrency);
  EXPECT_FALSE(silent.rate_per_s);
  EXPECT_THAT(
    pointers(read_limits(R"({"concurrency":-1,"rate_per_s":"x","y":1})")),
    UnorderedElementsAre("/concurrency", "/rate_per_s", "/y"));
}

TEST(action_reading, AsksForAFilter) {
  const auto asked = good(read_action(
    R"({"action":"cancel","filter":{"state":"queued","tag":"t"},"dry_run":true})"));

  EXPECT_EQ(asked.action, store::bulk_action::cancel);
  EXPECT_EQ(asked.filter.state, store::job_state::queued);
  EXPECT_EQ(asked.filter.tag, "t");
  EXPECT_TRUE(asked.dry_run);
  EXPECT_THAT(pointers(read_action(R"({"action":"purge"})")),
              ElementsAre("/filter"));
  EXPECT_THAT(
    pointers(read_action(R"({"action":"purge","filter":{"state":null}})")),
    ElementsAre("/filter"));
  EXPECT_FALSE(
    good(read_action(R"({"action":"purge","all":true})")).filter.state);
  EXPECT_THAT(pointers(read_action(
                R"({"action":"purge","all":true,"filter":{"tag":"t"}})")),
              ElementsAre("/all"));
  EXPECT_THAT(
    pointers(read_action(R"({"action":"eat","filter":{"state":"x","y":1}})")),
    UnorderedElementsAre("/action", "/filter/state", "/filter/y"));
}

TEST_F(schedule_reading, TakesAJobWithoutATimeOfItsOwn) {
  const auto asked = good(reader.read(
    R"({"cron":"0 */6 * * *","timezone":"Europe/Berlin","catch_up":"all",
        "overlap":"allow","job":{"type":"noop","params":{},"priority":7}})"));

  EXPECT_EQ(asked.cron, "0 */6 * * *");
  EXPECT_EQ(asked.timezone, "Europe/Berlin");
  EXPECT_EQ(asked.overlap, store::overlap_policy::allow);
  EXPECT_EQ(asked.catch_up, store::catch_up_policy::all);
  EXPECT_EQ(asked.job.priority, 7);
  EXPECT_EQ(asked.job.queue, "bulk");
  EXPECT_THAT(pointers(reader.read(
                R"({"cron":"@daily","job":{"type":"noop","params":{},"run_at":
          "2030-01-01T00:00:00Z","depends_on":["a"]}})")),
              UnorderedElementsAre("/job/run_at", "/job/depends_on"));
}

TEST_F(schedule_reading, SaysWhetherTimeOrZoneIsWrong) {
  const std::string job = R"(,"job":{"type":"noop","params":{}}})";

  EXPECT_THAT(pointers(reader.read(R"({"cron":"0 0 30 2 *")" + job)),
              ElementsAre("/cron"));
  EXPECT_THAT(
    pointers(reader.read(R"({"cron":"@daily","timezone":"Moon/Sea")" + job)),
    ElementsAre("/timezone"));
  EXPECT_THAT(pointers(reader.read("{}")),
              UnorderedElementsAre("/cron", "/job"));
  EXPECT_THAT(pointers(reader.read(
                R"({"cron":"@daily","overlap":"x","catch_up":1)" + job)),
              UnorderedElementsAre("/overlap", "/catch_up"));
}

TEST(traceparents, HaveOneForm) {
  EXPECT_TRUE(
    is_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
  for (const auto* text :
       {"", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
        "00 4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"})
    EXPECT_FALSE(is_traceparent(text)) << text;
}

TEST(schedule_names, AreShortAndPlain) {
  EXPECT_TRUE(is_schedule_name("nightly.import-1_a"));
  for (const auto* name : {"", "a b", "a/b", "ü"})
    EXPECT_FALSE(is_schedule_name(name)) << name;
  EXPECT_FALSE(is_schedule_name(std::string(129, 'a')));
}

} // namespace troupe::net
