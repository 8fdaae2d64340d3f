#include "server_fixture.hpp"

#include "actors/store/errc.hpp"
#include "media/errc.hpp"
#include "net/router.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <set>

namespace troupe::net {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

namespace {

constexpr std::string_view noop = R"({"type":"noop","params":{}})";

class http_routes : public server_test {
protected:
  /// A finished job whose result names a file of the library.
  void leave_file(const std::string& name, std::string_view content) {
    const auto folder = library / "Someone";
    std::filesystem::create_directories(folder);
    std::ofstream{folder / name} << content;
    store::job job;
    job.id = "done";
    job.type = "noop";
    job.state = store::job_state::succeeded;
    job.result = boost::json::serialize(
      boost::json::object{{"path", (folder / name).string()}});
    gateway.add(job);
  }
};

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

// -- files --------------------------------------------------------------------

TEST_F(http_routes, ServesTheFileOfAJob) {
  leave_file("a \xc3\xa9.mp4", "0123456789");

  const auto answer = ask("GET", "/v1/jobs/done/files/a%20%C3%A9.mp4");

  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "0123456789");
  EXPECT_EQ(answer.fields.at("content-type"), "video/mp4");
  EXPECT_EQ(answer.fields.at("x-content-type-options"), "nosniff");
  EXPECT_EQ(answer.fields.at("content-disposition"),
            "attachment; filename=\"a __.mp4\"; "
            "filename*=UTF-8''a%20%C3%A9.mp4");
  const auto head = ask("HEAD", "/v1/jobs/done/files/a%20%C3%A9.mp4");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.fields.at("content-length"), "10");
}

TEST_F(http_routes, ServesSubtitlesBesideTheFileOfAJob) {
  leave_file("film.mp4", "x");
  std::ofstream{library / "Someone" / "film.en.vtt"} << "WEBVTT";
  std::ofstream{library / "Someone" / "film two.en.vtt"} << "of another";

  const auto answer = ask("GET", "/v1/jobs/done/files/film.en.vtt");

  EXPECT_EQ(answer.body, "WEBVTT");
  EXPECT_EQ(answer.fields.at("content-type"), "text/vtt");
  EXPECT_EQ(ask("GET", "/v1/jobs/done/files/film%20two.en.vtt").status, 404);
}

TEST_F(http_routes, ServesRangesOfAFile) {
  leave_file("v.bin", "0123456789");
  const std::string at = "/v1/jobs/done/files/v.bin";
  const auto etag = ask("GET", at).fields.at("etag");
  const auto part = [&](const std::string& fields) {
    return ask("GET", at, {}, fields);
  };

  EXPECT_EQ(part("Range: bytes=2-4\r\n").body, "234");
  EXPECT_EQ(part("Range: bytes=2-4\r\n").fields.at("content-range"),
            "bytes 2-4/10");
  EXPECT_EQ(part("Range: bytes=-3\r\n").body, "789");
  EXPECT_EQ(part("Range: bytes=8-\r\n").body, "89");
  EXPECT_EQ(part("Range: bytes=4-99\r\n").body, "456789");
  EXPECT_EQ(part("Range: bytes=10-\r\n").status, 416);
  EXPECT_EQ(part("Range: bytes=10-\r\n").fields.at("content-range"),
            "bytes */10");
  EXPECT_EQ(part("Range: bytes=1-2,4-5\r\n").status, 200);
  EXPECT_EQ(part("Range: lines=1-2\r\n").status, 200);
  EXPECT_EQ(part("Range: bytes=2-4\r\nIf-Range: " + etag + "\r\n").status, 206);
  EXPECT_EQ(part("Range: bytes=2-4\r\nIf-Range: \"x\"\r\n").status, 200);
  EXPECT_EQ(part("If-None-Match: " + etag + "\r\n").status, 304);
}

TEST_F(http_routes, ServesLargeFilesWhole) {
  std::string content(3'000'000, '\0');
  for (std::size_t i = 0; i < content.size(); ++i)
    content[i] = static_cast<char>(i * 31 / 7);
  leave_file("large.mkv", content);

  EXPECT_EQ(ask("GET", "/v1/jobs/done/files/large.mkv").body, content);
}

TEST_F(http_routes, ServesNoOtherFiles) {
  leave_file("mine.mp4", "x");
  std::ofstream{library / "Someone" / "other.mp4"} << "y";
  store::job outside;
  outside.id = "outside";
  outside.type = "noop";
  outside.result = R"({"path":"/etc/hostname"})";
  gateway.add(outside);
  store::job linked = outside;
  linked.id = "linked";
  std::filesystem::create_symlink("/etc/hostname", library / "link.mp4");
  linked.result = boost::json::serialize(
    boost::json::object{{"path", (library / "link.mp4").string()}});
  gateway.add(linked);

  for (const auto* path :
       {"/v1/jobs/done/files/other.mp4", "/v1/jobs/done/files/..%2fmine.mp4",
        "/v1/jobs/outside/files/hostname", "/v1/jobs/linked/files/link.mp4",
        "/v1/jobs/none/files/mine.mp4"})
    EXPECT_EQ(code_of(ask("GET", path)), "not_found") << path;
}

// -- operation ----------------------------------------------------------------

TEST_F(http_routes, ReadinessNamesEachPart) {
  parts = {{"tools", true, ""}};
  const auto ready = ask("GET", "/readyz");
  EXPECT_EQ(ready.status, 200);
  EXPECT_EQ(json_of(ready).at("parts").at("tools").at("state"), "ready");

  gateway.fail_with(store::errc::unavailable);
  const auto away = ask("GET", "/readyz");
  EXPECT_EQ(away.status, 503);
  EXPECT_EQ(json_of(away).at("parts").at("store").at("state"), "failed");
  EXPECT_EQ(ask("GET", "/healthz").status, 200);
}

TEST_F(http_routes, ADrainingServerIsNotReadyButServes) {
  running->drain();

  const auto answer = ask("GET", "/readyz");

  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(json_of(answer).at("status"), "draining");
  EXPECT_EQ(ask("GET", "/v1/queues").status, 200);
}

TEST_F(http_routes, ShowsQueuesAndMetrics) {
  const auto queues = ask("GET", "/v1/queues");
  const auto body = json_of(queues);
  const auto& first = body.at("queues").as_array().at(0);
  EXPECT_EQ(first.at("name"), "bulk");
  EXPECT_EQ(first.at("depth").at("queued"), 7);
  EXPECT_EQ(first.at("oldest_age_s"), 1.5);

  const auto metrics_page = ask("GET", "/metrics");
  EXPECT_THAT(metrics_page.fields.at("content-type"), HasSubstr("text/plain"));
  EXPECT_THAT(metrics_page.body, HasSubstr("route=\"/v1/queues\""));
}

TEST_F(http_routes, TheDocumentHasExactlyTheServersRoutes) {
  const auto document = json_of(ask("GET", "/openapi.json"));
  std::set<std::string> told;
  for (const auto& path : document.at("paths").as_object())
    for (const auto& method : path.value().as_object())
      if (method.key() != "parameters")
        told.insert(std::string{method.key()} + " " + std::string{path.key()});

  std::set<std::string> served;
  for (const auto& each : all_routes()) {
    std::string method{to_string(each.method)};
    for (char& c : method)
      c = static_cast<char>(std::tolower(c));
    served.insert(method + " " + std::string{each.pattern});
  }

  EXPECT_EQ(document.at("openapi"), "3.1.0");
  EXPECT_EQ(told, served);
}

TEST_F(http_routes, TheDocumentAndTheListHoldTheSchemasThatAreChecked) {
  const auto document = json_of(ask("GET", "/openapi.json"));
  const auto list = json_of(ask("GET", "/v1/job-types"));
  const auto& schemas = document.at("components").at("schemas");

  for (const auto& type : list.at("job_types").as_array()) {
    const std::string name{type.at("name").as_string()};
    EXPECT_EQ(schemas.at(name + "_params"), type.at("params"));
    EXPECT_EQ(schemas.at(name + "_result"), type.at("result"));
  }
  EXPECT_THAT(list.at("job_types").as_array().at(0).at("name").as_string(),
              testing::Not(IsEmpty()));
}

} // namespace troupe::net
