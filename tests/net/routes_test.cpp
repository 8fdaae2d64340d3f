#include "server_fixture.hpp"

#include "actors/store/errc.hpp"
#include "media/errc.hpp"

#include <gmock/gmock.h>

namespace troupe::net {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

namespace {

class http_routes : public server_test {};

} // namespace

// -- submit -------------------------------------------------------------------

TEST_F(http_routes, SubmitAnswersWithTheJobAndItsPlace) {
  const auto answer = submit(noop);

  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.fields.at("location"), "/v1/jobs/job-1");
  EXPECT_EQ(json_of(answer).at("id"), "job-1");
  EXPECT_EQ(json_of(answer).at("state"), "queued");
  ASSERT_EQ(gateway.submits().size(), 1u);
  const auto draft = gateway.submits().front().draft;
  EXPECT_EQ(draft.priority, 5);
  EXPECT_EQ(draft.max_attempts, 3u);
  EXPECT_EQ(draft.timeout_s, 3600);
  EXPECT_EQ(draft.queue, "bulk");
}

TEST_F(http_routes, SubmitAnswersAHeldUniqueKeyWithItsJob) {
  const std::string body = R"({"type":"noop","params":{},"unique_key":"only"})";

  EXPECT_EQ(submit(body).status, 202);
  const auto again = submit(body);

  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(json_of(again).at("id"), "job-1");
}

TEST_F(http_routes, SubmitRepeatsItsAnswerForAnIdempotencyKey) {
  const std::string key = "Idempotency-Key: k1\r\n";

  const auto first = submit(noop, key);
  const auto again = submit(noop, key);
  const auto other = submit(R"({"type":"noop","params":{}} )", key);
  const auto bad = submit(noop, "Idempotency-Key: a b\r\n");

  EXPECT_EQ(first.fields.count("idempotency-replayed"), 0u);
  EXPECT_EQ(again.status, 202);
  EXPECT_EQ(again.fields.at("idempotency-replayed"), "true");
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(code_of(other), "idempotency_mismatch");
  EXPECT_EQ(code_of(bad), "invalid_request");
}

TEST_F(http_routes, SubmitRefusesLessDurabilityOnlyIfStrict) {
  level = store::durability::interval;

  const auto lenient =
    submit(R"({"type":"noop","params":{},"durability":"disk"})");
  const auto strict =
    submit(R"({"type":"noop","params":{},"durability":"disk",)"
           R"("durability_strict":true})");

  EXPECT_EQ(lenient.status, 202);
  EXPECT_EQ(strict.status, 503);
  EXPECT_EQ(code_of(strict), "durability_unavailable");
}

TEST_F(http_routes, SubmitNamesEveryWrongField) {
  const auto answer =
    submit(R"({"type":"noop","params":{"sleep_ms":-1,"other":1,"steps":"x"},)"
           R"("priority":"high","max_attempts":0,"colour":1,"tags":["a",2],)"
           R"("depends_on":["a b"],"backoff":{"factor":0},)"
           R"("callback_url":"http://127.0.0.1/"})");

  EXPECT_EQ(code_of(answer), "invalid_params");
  EXPECT_THAT(
    pointers_of(answer),
    UnorderedElementsAre("/params/sleep_ms", "/params/other", "/params/steps",
                         "/priority", "/max_attempts", "/colour", "/tags/1",
                         "/depends_on/0", "/backoff/factor", "/callback_url"));
  EXPECT_THAT(gateway.submits(), IsEmpty());
}

TEST_F(http_routes, SubmitTakesAnyWayToWriteAnInteger) {
  const auto answer = submit(R"({"type":"noop","priority":7.0,)"
                             R"("params":{"sleep_ms":5.0,"steps":2e0}})");

  EXPECT_EQ(answer.status, 202) << answer.body;
  ASSERT_EQ(gateway.submits().size(), 1u);
  EXPECT_EQ(gateway.submits().front().draft.priority, 7);
  EXPECT_EQ(code_of(submit(R"({"type":"noop","priority":7.5,"params":{}})")),
            "invalid_params");
  EXPECT_EQ(code_of(submit(R"({"type":"noop","params":{"sleep_ms":5.5}})")),
            "invalid_params");
}

TEST_F(http_routes, SubmitTellsWhatIsTooLargeToBeKept) {
  const auto answer =
    submit(R"({"type":"noop","priority":18446744073709551615,"params":)"
           R"({"payload":{"a/b":[1,123456789012345678901234567890,1e999]}}})");
  const auto deep =
    submit(R"({"type":"noop","params":{"payload":)" + std::string(100, '[')
           + std::string(100, ']') + "}}");

  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(code_of(answer), "invalid_params");
  EXPECT_THAT(pointers_of(answer),
              ElementsAre("/params/payload/a~1b/1", "/params/payload/a~1b/2"));
  EXPECT_EQ(deep.status, 422);
  EXPECT_EQ(code_of(deep), "invalid_params");
  EXPECT_EQ(code_of(submit(R"({"type":"noop","priority":01,"params":{}})")),
            "invalid_json");
  EXPECT_EQ(
    pointers_of(
      submit(R"({"type":"noop","priority":18446744073709551615,"params":{}})")),
    std::vector<std::string>{"/priority"});
}

TEST_F(http_routes, SubmitTellsWhatKindOfWrongItIs) {
  EXPECT_EQ(code_of(submit(R"({"type":)")), "invalid_json");
  EXPECT_EQ(code_of(submit("{\"type\":\"\xff\"}")), "invalid_json");
  EXPECT_EQ(code_of(submit(R"({"type":"none","params":{}})")),
            "unknown_job_type");
  EXPECT_EQ(code_of(submit("[]")), "invalid_params");
  EXPECT_EQ(code_of(submit(R"({"params":{}})")), "invalid_params");
  EXPECT_EQ(code_of(submit(noop, "Content-Type: text/plain\r\n")),
            "unsupported_media_type");
  EXPECT_EQ(
    submit(noop, "Content-Type: application/json; charset=utf-8\r\n").status,
    202);
}

TEST_F(http_routes, FailuresBelowKeepTheirMeaning) {
  for (const auto& [code, word] :
       std::vector<std::pair<std::error_code, std::string>>{
         {make_error_code(store::errc::unavailable), "store_unavailable"},
         {make_error_code(store::errc::disk_full), "store_unavailable"},
         {make_error_code(store::errc::queue_full), "queue_full"},
         {make_error_code(actors::errc::draining), "draining"},
         {make_error_code(actors::errc::overloaded), "rate_limited"},
         {make_error_code(actors::errc::deadline), "deadline"},
         {make_error_code(actors::errc::idempotency_in_progress),
          "idempotency_in_progress"},
         {make_error_code(store::errc::corrupt), "internal"}}) {
    gateway.fail_with(code);
    EXPECT_EQ(code_of(submit(noop)), word);
  }
  gateway.fail_with(store::errc::unavailable);
  EXPECT_EQ(submit(noop).fields.count("retry-after"), 1u);
}

TEST_F(http_routes, AnOverloadedQueueSaysWhenToComeBack) {
  gateway.fail_with({7, actors::overload_category()});

  const auto answer = submit(noop);

  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(code_of(answer), "rate_limited");
  EXPECT_EQ(answer.fields.at("retry-after"), "7");
}

TEST_F(http_routes, NodesAreShownWithTheirPools) {
  const auto all = json_of(ask("GET", "/v1/nodes")).at("nodes");

  ASSERT_EQ(all.as_array().size(), 1u);
  const auto& node = all.as_array().at(0);
  EXPECT_EQ(node.at("id"), "n1");
  EXPECT_EQ(node.at("state"), "ready");
  EXPECT_EQ(node.at("disk").as_array().at(0).at("free"), 50);
  EXPECT_EQ(node.at("pools").as_array().at(0).at("name"), "bulk");
}

TEST_F(http_routes, ItsOwnNodeRetiresWhenItIsDrained) {
  EXPECT_EQ(ask("POST", "/v1/nodes/n2/drain").status, 404);
  EXPECT_EQ(ask("POST", "/v1/nodes/n1/drain", R"({"now":1})").status, 422);
  EXPECT_EQ(retired, 0);
  EXPECT_EQ(ask("GET", "/readyz").status, 200);

  for (int i = 1; i <= 2; ++i) {
    const auto drained = ask("POST", "/v1/nodes/n1/drain");
    EXPECT_EQ(drained.status, 200);
    EXPECT_EQ(json_of(drained).at("id"), "n1");
    EXPECT_EQ(json_of(drained).at("state"), "draining");
    EXPECT_EQ(retired, i);
  }

  EXPECT_EQ(json_of(ask("GET", "/readyz")).at("status"), "draining");
  EXPECT_EQ(ask("GET", "/v1/nodes").status, 200);
}

TEST_F(http_routes, TheSystemIsTheServerAndItsMachine) {
  const auto shown = json_of(ask("GET", "/v1/system"));

  EXPECT_EQ(shown.at("node"), "n1");
  EXPECT_EQ(shown.at("cpu").at("cores"), 2);
  EXPECT_FALSE(shown.at("version").as_string().empty());
  EXPECT_GT(shown.at("uptime_s").as_double(), 0);
}

TEST_F(http_routes, AlertsAreShown) {
  const auto all = json_of(ask("GET", "/v1/alerts")).at("alerts");

  ASSERT_EQ(all.as_array().size(), 1u);
  EXPECT_EQ(all.as_array().at(0).at("id"), "disk_low:library");
}

TEST_F(http_routes, AnswersThatNeverComeEndWithTheDeadline) {
  settings.request_timeout_s = 1;
  restart();
  gateway.hold();

  EXPECT_EQ(code_of(submit(noop)), "deadline");

  gateway.release();
  EXPECT_EQ(submit(noop).status, 202);
}

TEST_F(http_routes, AnswersComeFromOtherThreadsToo) {
  gateway.answer_elsewhere();
  auto client = connect();

  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(client.ask("POST", "/v1/jobs", noop).status, 202);
}

// -- jobs ---------------------------------------------------------------------

TEST_F(http_routes, ShowsCancelsRetriesAndPurgesJobs) {
  submit(noop);

  EXPECT_EQ(json_of(ask("GET", "/v1/jobs/job-1")).at("id"), "job-1");
  EXPECT_EQ(code_of(ask("GET", "/v1/jobs/job-2")), "not_found");
  EXPECT_EQ(code_of(ask("GET", "/v1/jobs/a%00b")), "invalid_request");
  EXPECT_EQ(code_of(ask("GET", "/v1/jobs/a%20b")), "not_found");
  EXPECT_EQ(json_of(ask("POST", "/v1/jobs/job-1/cancel")).at("state"),
            "cancelled");
  EXPECT_EQ(code_of(ask("POST", "/v1/jobs/job-1/retry")), "invalid_state");
  EXPECT_EQ(code_of(ask("DELETE", "/v1/jobs/job-1")), "invalid_state");
  EXPECT_EQ(code_of(ask("POST", "/v1/jobs/job-1/cancel", R"({"a":1})")),
            "invalid_params");
  leave_file("x", "y");
  EXPECT_EQ(ask("DELETE", "/v1/jobs/done").status, 204);
}

TEST_F(http_routes, ListsJobsWithFiltersAndCoercedPages) {
  submit(noop);

  const auto answer =
    ask("GET", "/v1/jobs?state=failed&type=noop&queue=bulk&tag=a%20b&batch=c"
               "&page_size=5000&page_token=t");
  ask("GET", "/v1/jobs?page_size=-3");

  EXPECT_EQ(json_of(answer).at("jobs").as_array().size(), 1u);
  EXPECT_EQ(json_of(answer).at("next_page_token"), "next");
  const auto asked = gateway.lists();
  EXPECT_EQ(asked[0].state, store::job_state::failed);
  EXPECT_EQ(asked[0].tag, "a b");
  EXPECT_EQ(asked[0].page_size, 1000u);
  EXPECT_EQ(asked[0].page_token, "t");
  EXPECT_EQ(asked[1].page_size, 1u);
}

TEST_F(http_routes, ListRefusesWhatItDoesNotKnow) {
  const auto answer =
    ask("GET", "/v1/jobs?state=happy&colour=red&page_size=many");

  EXPECT_EQ(code_of(answer), "invalid_params");
  EXPECT_THAT(pointers_of(answer),
              ElementsAre("/state", "/colour", "/page_size"));
  EXPECT_EQ(code_of(ask("GET", "/v1/jobs?page_token=bad")),
            "invalid_page_token");
  EXPECT_EQ(code_of(ask("GET", "/v1/jobs?page_token=%00x")),
            "invalid_page_token");
  EXPECT_EQ(code_of(ask("GET", "/v1/jobs?tag=%00x")), "invalid_params");
}

TEST_F(http_routes, ExtractLooksAtAUrl) {
  const auto found =
    ask("POST", "/v1/extract", R"({"url":"https://example.com/v"})");
  const auto forbidden =
    ask("POST", "/v1/extract", R"({"url":"http://127.0.0.1/"})");
  const auto wrong = ask("POST", "/v1/extract", R"({"url":1,"x":2})");
  gateway.fail_with(media::errc::unsupported_url);
  const auto unknown =
    ask("POST", "/v1/extract", R"({"url":"https://example.com/v"})");

  EXPECT_EQ(json_of(found).at("title"), "https://example.com/v");
  EXPECT_EQ(code_of(forbidden), "source_forbidden");
  EXPECT_THAT(pointers_of(wrong), ElementsAre("/url", "/x"));
  EXPECT_EQ(code_of(unknown), "invalid_params");
  EXPECT_THAT(unknown.body, HasSubstr("unsupported_url"));
}

TEST_F(http_routes, ExtractTellsWhyItsSourceCannotBeRead) {
  const auto answered = [this](media::errc code, const std::string& why) {
    gateway.fail_with(code, why);
    return ask("POST", "/v1/extract", R"({"url":"https://example.com/v"})");
  };

  const auto refused = answered(media::errc::source_unavailable,
                                "example.com: Connection refused");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(code_of(refused), "source_unavailable");
  EXPECT_EQ(json_of(refused).at("detail"), "example.com: Connection refused");
  EXPECT_THAT(pointers_of(refused), ElementsAre("/url"));
  EXPECT_EQ(refused.fields.at("retry-after"), "5");
  EXPECT_THAT(refused.body, Not(HasSubstr("in time")));
  const auto slow = answered(media::errc::timeout, "no answer within 60 s");
  EXPECT_EQ(slow.status, 504);
  EXPECT_EQ(code_of(slow), "deadline");
}

TEST_F(http_routes, ExtractTellsThatItsToolIsMissing) {
  gateway.fail_with(media::errc::tool_missing);

  const auto answer =
    ask("POST", "/v1/extract", R"({"url":"https://example.com/v"})");

  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(code_of(answer), "tool_missing");
  EXPECT_EQ(answer.fields.count("retry-after"), 1u);
}

} // namespace troupe::net
