#include "server_fixture.hpp"

#include <gmock/gmock.h>

#include <set>

namespace troupe::net {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

namespace {

class control_routes : public server_test {
protected:
  std::string submitted() {
    return std::string{json_of(submit(noop)).at("id").as_string()};
  }
};

} // namespace

TEST_F(control_routes, ABatchAnswersWithItsIdsAndItsPlace) {
  const auto answer = ask("POST", "/v1/jobs/batch",
                          R"({"tags":["t"],"jobs":[{"type":"noop","params":{}},
       {"type":"noop","params":{},"depends_on":["#0"]}]})");

  ASSERT_EQ(answer.status, 202);
  const auto body = json_of(answer);
  const std::string id{body.at("batch").at("id").as_string()};
  EXPECT_EQ(answer.fields.at("location"), "/v1/batches/" + id);
  EXPECT_EQ(body.at("ids").as_array().size(), 2u);
  EXPECT_EQ(body.at("batch").at("total"), 2);
  EXPECT_EQ(json_of(ask("GET", "/v1/batches/" + id)).at("id"),
            body.at("batch").at("id"));
  EXPECT_EQ(ask("GET", "/v1/batches/none").status, 404);
}

TEST_F(control_routes, ABatchMayHaveSixteenMebibytesAndNothingElseMay) {
  std::string large = R"({"jobs":[{"type":"noop","params":{"payload":")";
  large += std::string(4 << 20, 'x') + "\"}}]}";

  EXPECT_EQ(ask("POST", "/v1/jobs/batch", large).status, 202);
  EXPECT_EQ(submit(large).status, 413);
  EXPECT_EQ(
    ask("POST", "/v1/jobs/batch", {},
        "Content-Type: application/json\r\nContent-Length: 17825792\r\n")
      .status,
    413);
}

TEST_F(control_routes, ABatchNamesEveryWrongFieldOfItsJobs) {
  const auto answer = ask(
    "POST", "/v1/jobs/batch",
    R"({"jobs":[{"type":"noop","params":{},"priority":11}, {"type":"x"}]})");

  EXPECT_EQ(code_of(answer), "unknown_job_type");
  EXPECT_THAT(pointers_of(answer), Contains("/jobs/0/priority"));
  EXPECT_THAT(pointers_of(answer), Contains("/jobs/1/params"));
}

TEST_F(control_routes, CancellingABatchGoesThroughAllSteps) {
  const auto made = json_of(
    ask("POST", "/v1/jobs/batch", R"({"jobs":[{"type":"noop","params":{}}]})"));
  const std::string id{made.at("batch").at("id").as_string()};

  const auto answer = ask("POST", "/v1/batches/" + id + "/cancel");

  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(gateway.bulks(), SizeIs(3));
  for (const auto& step : gateway.bulks()) {
    EXPECT_EQ(step.filter.batch, id);
    EXPECT_EQ(step.action, store::bulk_action::cancel);
  }
}

TEST_F(control_routes, ActionsTellHowManyJobsTheyFit) {
  const auto counted =
    json_of(ask("POST", "/v1/jobs/actions",
                R"({"action":"retry","filter":{"tag":"t"},"dry_run":true})"));
  const auto done = json_of(ask("POST", "/v1/jobs/actions",
                                R"({"action":"retry","filter":{"tag":"t"}})"));

  const auto done_before = gateway.bulks().size();
  EXPECT_EQ(counted.at("matched"), 6);
  EXPECT_EQ(counted.at("changed"), 0);
  EXPECT_EQ(done.at("changed"), 6);
  EXPECT_EQ(done.at("next_cursor"), "");
  for (const auto* careless :
       {R"({"action":"purge"})", R"({"action":"purge","filter":{}})",
        R"({"action":"purge","filter":{"tag":null},"all":false})",
        R"({"action":"purge","filter":{},"dry_run":true})"}) {
    const auto refused = ask("POST", "/v1/jobs/actions", careless);
    EXPECT_EQ(refused.status, 422) << careless;
    EXPECT_THAT(pointers_of(refused), ElementsAre("/filter")) << careless;
  }
  EXPECT_THAT(gateway.bulks(), SizeIs(done_before));
}

TEST_F(control_routes, PauseAndResumeAnswerWithTheJob) {
  const auto id = submitted();

  const auto paused = ask("POST", "/v1/jobs/" + id + "/pause");
  const auto resumed = ask("POST", "/v1/jobs/" + id + "/resume");

  EXPECT_EQ(json_of(paused).at("state"), "paused");
  EXPECT_EQ(json_of(resumed).at("state"), "queued");
  EXPECT_EQ(ask("POST", "/v1/jobs/none/pause").status, 404);
  EXPECT_EQ(ask("POST", "/v1/jobs/" + id + "/pause", R"({"x":1})").status, 422);
}

TEST_F(control_routes, QueuesArePausedAndLimited) {
  const auto paused = ask("POST", "/v1/queues/bulk/pause");
  const auto limited =
    ask("PATCH", "/v1/queues/bulk", R"({"concurrency":3,"rate_per_s":0.5})");
  const auto freed = ask("PATCH", "/v1/queues/bulk", R"({"concurrency":null})");
  const auto resumed = ask("POST", "/v1/queues/bulk/resume");

  EXPECT_EQ(json_of(paused).at("paused"), true);
  EXPECT_EQ(json_of(limited).at("concurrency"), 3);
  EXPECT_EQ(json_of(limited).at("rate_per_s"), 0.5);
  EXPECT_TRUE(json_of(freed).at("concurrency").is_null());
  EXPECT_EQ(json_of(freed).at("rate_per_s"), 0.5);
  EXPECT_EQ(json_of(resumed).at("paused"), false);
  EXPECT_EQ(ask("POST", "/v1/queues/none/pause").status, 404);
}

TEST_F(control_routes, LimitsAreKeptByKey) {
  const auto put = ask("PUT", "/v1/limits/host:a.example",
                       R"({"concurrency":2,"rate_per_s":null})");
  const auto got = ask("GET", "/v1/limits/host:a.example");
  const auto other = ask("GET", "/v1/limits/x");

  EXPECT_EQ(put.status, 200);
  EXPECT_EQ(json_of(got).at("key"), "host:a.example");
  EXPECT_EQ(json_of(got).at("concurrency"), 2);
  EXPECT_TRUE(json_of(got).at("rate_per_s").is_null());
  EXPECT_TRUE(json_of(other).at("concurrency").is_null());
}

TEST_F(control_routes, SchedulesAreMadeShownAndRemoved) {
  const auto put =
    ask("PUT", "/v1/schedules/nightly",
        R"({"cron":"0 3 * * *","timezone":"Europe/Berlin","catch_up":"one",
            "job":{"type":"noop","params":{"steps":2},"tags":["n"]}})");
  const auto all = ask("GET", "/v1/schedules");

  ASSERT_EQ(put.status, 200);
  EXPECT_EQ(json_of(put).at("cron"), "0 3 * * *");
  EXPECT_EQ(json_of(put).at("job").at("params").at("steps"), 2);
  EXPECT_EQ(json_of(put).at("catch_up"), "one");
  EXPECT_EQ(json_of(put).at("overlap"), "skip");
  EXPECT_EQ(json_of(all).at("schedules").as_array().size(), 1u);
  EXPECT_EQ(ask("DELETE", "/v1/schedules/nightly").status, 204);
  EXPECT_EQ(ask("DELETE", "/v1/schedules/nightly").status, 404);
  EXPECT_EQ(ask("GET", "/v1/schedules/nightly").status, 404);
  EXPECT_EQ(ask("PUT", "/v1/schedules/a%20b", "{}").status, 422);
}

TEST_F(control_routes, SchedulesComeInPages) {
  for (const auto* name : {"c", "a", "b"})
    ASSERT_EQ(ask("PUT", std::string{"/v1/schedules/"} + name,
                  R"({"cron":"0 3 * * *","job":{"type":"noop","params":{}}})")
                .status,
              200);
  const auto names = [](const boost::json::value& page) {
    std::vector<std::string> out;
    for (const auto& each : page.at("schedules").as_array())
      out.emplace_back(each.at("name").as_string());
    return out;
  };

  const auto first = json_of(ask("GET", "/v1/schedules?page_size=2"));
  const std::string token{first.at("next_page_token").as_string()};
  const auto second =
    json_of(ask("GET", "/v1/schedules?page_size=2&page_token=" + token));

  EXPECT_THAT(names(first), ElementsAre("a", "b"));
  EXPECT_THAT(names(second), ElementsAre("c"));
  EXPECT_EQ(second.at("next_page_token"), "");
  EXPECT_EQ(json_of(ask("GET", "/v1/schedules")).at("next_page_token"), "");
  EXPECT_EQ(code_of(ask("GET", "/v1/schedules?page_token=b")),
            "invalid_page_token");
  EXPECT_THAT(pointers_of(ask("GET", "/v1/schedules?page_size=x&page=1")),
              ElementsAre("/page_size", "/page"));
}

TEST_F(control_routes, ALogIsText) {
  const auto id = submitted();
  gateway.set_log({"a\nb\n", false});

  const auto answer = ask("GET", "/v1/jobs/" + id + "/log");

  EXPECT_EQ(answer.body, "a\nb\n");
  EXPECT_THAT(answer.fields.at("content-type"), HasSubstr("text/plain"));
  EXPECT_EQ(ask("GET", "/v1/jobs/none/log").status, 404);
  EXPECT_EQ(ask("GET", "/v1/jobs/" + id + "/log?follow=often").status, 422);
}

TEST_F(control_routes, AFollowedLogGrowsUntilTheJobEnds) {
  const auto id = submitted();
  gateway.set_log({"one\n", false});
  auto client = connect();
  client.send("GET /v1/jobs/" + id + "/log?follow=true HTTP/1.1\r\nHost: "
              + client.host() + "\r\n\r\n");
  EXPECT_THAT(client.line(), HasSubstr("200"));
  bool chunked = false;
  for (auto line = client.line(); !line.empty(); line = client.line())
    chunked = chunked || line == "Transfer-Encoding: chunked";
  EXPECT_TRUE(chunked);

  EXPECT_EQ(client.line(), "4");
  EXPECT_EQ(client.line(), "one");
  gateway.set_log({"one\ntwo\n", true});

  EXPECT_EQ(client.line(), "");
  EXPECT_EQ(client.line(), "4");
  EXPECT_EQ(client.line(), "two");
  EXPECT_EQ(client.line(), "");
  EXPECT_EQ(client.line(), "0");
}

TEST_F(control_routes, AFollowedLogTellsEachLineOnceWhateverLeavesIt) {
  const auto id = submitted();
  std::string before;
  std::string after = "born\n60 lines are left out\n";
  for (int i = 0; i < 70; ++i) {
    const auto line = "line " + std::to_string(i) + '\n';
    if (i < 10)
      before += line;
    if (i >= 5)
      after += line;
  }
  gateway.set_log({"born\n" + before, false});
  auto client = connect();
  client.send("GET /v1/jobs/" + id + "/log?follow=true HTTP/1.1\r\nHost: "
              + client.host() + "\r\n\r\n");
  while (!client.line().empty())
    continue;
  std::vector<std::string> told;
  const auto listen_until = [&](const std::string& last) {
    while (!client.ended() && (told.empty() || told.back() != last))
      if (const auto line = client.line(); line.starts_with("line"))
        told.push_back(line);
  };

  listen_until("line 9");
  gateway.set_log({after, true});
  listen_until("line 69");

  EXPECT_THAT(told, SizeIs(70));
  EXPECT_EQ(std::set(told.begin(), told.end()).size(), told.size());
}

TEST_F(control_routes, AStoreThatIsAwayForAMomentEndsNoFollowedLog) {
  const auto id = submitted();
  gateway.set_log({"one\n", false});
  auto client = connect();
  client.send("GET /v1/jobs/" + id + "/log?follow=1 HTTP/1.1\r\nHost: "
              + client.host() + "\r\n\r\n");
  while (!client.line().empty())
    continue;
  EXPECT_EQ(client.line(), "4");
  EXPECT_EQ(client.line(), "one");
  EXPECT_EQ(client.line(), "");

  gateway.lose_logs(2);
  gateway.set_log({"one\ntwo\n", true});

  EXPECT_EQ(client.line(), "4");
  EXPECT_EQ(client.line(), "two");
}

TEST_F(control_routes, CallbacksComeInPages) {
  const auto answer = json_of(ask("GET", "/v1/callbacks?page_size=0"));

  EXPECT_EQ(answer.at("callbacks").as_array().size(), 1u);
  EXPECT_EQ(answer.at("next_page_token"), "job-1.finished");
  EXPECT_EQ(ask("GET", "/v1/callbacks?page_size=many").status, 422);
  EXPECT_EQ(ask("GET", "/v1/callbacks?page_token=x").status, 400);
  EXPECT_EQ(ask("GET", "/v1/callbacks?zebra=1").status, 422);
  EXPECT_EQ(ask("GET", "/v1/callbacks?page_token=%01").status, 400);
}

TEST_F(control_routes, DeadCallbacksAreListedAndTriedAgain) {
  const auto answer = json_of(ask("GET", "/v1/callbacks"));

  ASSERT_EQ(answer.at("callbacks").as_array().size(), 1u);
  EXPECT_EQ(answer.at("callbacks").at(0).at("id"), "job-1.finished");
  EXPECT_EQ(answer.at("next_page_token"), "");
  EXPECT_EQ(ask("POST", "/v1/callbacks/job-1.finished/retry").status, 204);
  EXPECT_EQ(ask("POST", "/v1/callbacks/job-2.finished/retry").status, 404);
}

TEST_F(control_routes, TheAsyncDocumentNamesTheEvents) {
  const auto document = json_of(ask("GET", "/asyncapi.json"));

  EXPECT_EQ(document.at("asyncapi"), "3.0.0");
  EXPECT_TRUE(document.at("channels").as_object().contains("websocket"));
}

TEST_F(control_routes, AMalformedLastEventIdIsNoRequest) {
  for (const auto* id : {"x", "e:", "e:1,2", "e:-1", ":1"}) {
    const auto answer = ask("GET", "/v1/events?topics=jobs", {},
                            std::string{"Last-Event-ID: "} + id + "\r\n");
    EXPECT_EQ(answer.status, 400) << id;
    EXPECT_EQ(code_of(answer), "invalid_request") << id;
  }
}

} // namespace troupe::net
