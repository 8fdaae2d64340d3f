#include "server_fixture.hpp"

#include "actors/store/errc.hpp"
#include "net/problem.hpp"
#include "net/router.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

namespace troupe::net {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace {

class operation_routes : public server_test {};

} // namespace

TEST_F(operation_routes, ReadinessNamesEachPart) {
  parts = {{"zygote", part_health::ready, ""}};
  const auto ready = ask("GET", "/readyz");
  EXPECT_EQ(ready.status, 200);
  for (const auto* part : {"store", "callbacks", "zygote"})
    EXPECT_EQ(json_of(ready).at("parts").at(part).at("state"), "ready");

  gateway.fail_with(store::errc::unavailable);
  const auto away = ask("GET", "/readyz");
  EXPECT_EQ(away.status, 503);
  EXPECT_EQ(json_of(away).at("parts").at("store").at("state"), "failed");
  EXPECT_EQ(ask("GET", "/healthz").status, 200);
}

TEST_F(operation_routes, AMissingToolIsToldAndLeavesTheServerReady) {
  parts = {{"tools", part_health::degraded, "not found: yt-dlp"}};

  const auto answer = ask("GET", "/readyz");

  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(json_of(answer).at("status"), "ready");
  EXPECT_EQ(json_of(answer).at("parts").at("tools").at("state"), "degraded");
  EXPECT_EQ(json_of(answer).at("parts").at("tools").at("detail"),
            "not found: yt-dlp");
}

TEST_F(operation_routes, ADrainingServerIsNotReadyButServes) {
  running->drain();

  const auto answer = ask("GET", "/readyz");

  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(json_of(answer).at("status"), "draining");
  EXPECT_EQ(ask("GET", "/v1/queues").status, 200);
}

TEST_F(operation_routes, ShowsQueuesAndMetrics) {
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

TEST_F(operation_routes, TheDocumentHasExactlyTheServersRoutes) {
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

TEST_F(operation_routes, EveryOperationTellsWhatAnyRequestMayGet) {
  const auto document = json_of(ask("GET", "/openapi.json"));
  const auto& known = document.at("components").at("responses").as_object();

  for (const auto& path : document.at("paths").as_object())
    for (const auto& method : path.value().as_object()) {
      if (method.key() == "parameters")
        continue;
      const auto& told = method.value().at("responses").as_object();
      for (const auto* status : {"400", "403", "405", "408", "413", "415",
                                 "417", "422", "431", "500", "503", "504"})
        EXPECT_TRUE(told.contains(status))
          << method.key() << ' ' << path.key() << ' ' << status;
      for (const auto& response : told) {
        const auto* name = response.value().as_object().if_contains("$ref");
        if (!name)
          continue;
        const std::string_view text{name->as_string()};
        EXPECT_TRUE(known.contains(text.substr(text.rfind('/') + 1))) << text;
      }
    }
}

TEST_F(operation_routes, TheDocumentHasTheParametersThatAreRead) {
  const auto document = json_of(ask("GET", "/openapi.json"));

  for (const auto& each : all_routes()) {
    std::string method{to_string(each.method)};
    std::ranges::transform(method, method.begin(), [](unsigned char c) {
      return static_cast<char>(std::tolower(c));
    });
    const auto& operation =
      document.at("paths").at(std::string{each.pattern}).at(method).as_object();
    std::vector<std::string> told;
    if (const auto* all = operation.if_contains("parameters"))
      for (const auto& one : all->as_array())
        if (const auto& it = one.as_object();
            it.contains("in") && it.at("in") == "query")
          told.emplace_back(it.at("name").as_string());
    // What pages add to the URL of an image is left to them.
    const bool is_image = each.pattern.starts_with("/img");
    EXPECT_EQ(told.empty(), each.query == query_use::none || is_image)
      << each.pattern;
    // What images and streams read, this server does not serve.
    const bool served = !is_image && !each.pattern.starts_with("/s/")
                        && each.pattern != "/v1/images";
    if (each.query == query_use::none || !served)
      continue;
    std::string path{each.pattern};
    for (auto at = path.find('{'); at != path.npos; at = path.find('{'))
      path.replace(at, path.find('}') - at + 1, "x");
    path += "?colour=red";
    for (const auto& name : told)
      path += "&" + name + "=%00";
    const auto answer = ask(to_string(each.method), path);
    EXPECT_EQ(answer.status, 422) << path;
    const auto body = json_of(answer);
    for (const auto& error : body.at("errors").as_array())
      EXPECT_EQ(error.at("detail") == "is not known here",
                error.at("pointer") == "/colour")
        << path << error;
  }
}

TEST_F(operation_routes, TheDocumentNamesEveryCodeOfAProblem) {
  const auto document = json_of(ask("GET", "/openapi.json"));

  boost::json::array words;
  for (std::size_t i = 0; i < problem_code_count; ++i)
    words.emplace_back(kind_of(static_cast<problem_code>(i)).word);

  EXPECT_EQ(
    document.at_pointer("/components/schemas/Problem/properties/code/enum"),
    words);
}

TEST_F(operation_routes, ThePageOfTheDocumentsLoadsFromThisServerAlone) {
  const auto page = ask("GET", "/docs");

  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.fields.at("content-type"), "text/html; charset=utf-8");
  EXPECT_THAT(page.fields.at("content-security-policy"),
              HasSubstr("default-src 'none'"));
  for (const auto& [name, type] :
       {std::pair{"docs/docs.css", "text/css; charset=utf-8"},
        std::pair{"docs/docs.js", "text/javascript; charset=utf-8"}}) {
    EXPECT_THAT(page.body, HasSubstr('"' + std::string{name} + '"'));
    const auto part = ask("GET", '/' + std::string{name});
    EXPECT_EQ(part.status, 200);
    EXPECT_EQ(part.fields.at("content-type"), type);
    EXPECT_THAT(part.body, Not(HasSubstr("//cdn")));
    EXPECT_THAT(part.body, Not(HasSubstr("http:")));
    EXPECT_THAT(part.body, Not(HasSubstr("https:")));
  }
  EXPECT_THAT(page.body, Not(HasSubstr("http")));
  EXPECT_EQ(ask("GET", "/docs/other").status, 404);
}

TEST_F(operation_routes, TheDocumentAndTheListHoldTheSchemasThatAreChecked) {
  const auto document = json_of(ask("GET", "/openapi.json"));
  const auto list = json_of(ask("GET", "/v1/job-types"));
  const auto& schemas = document.at("components").at("schemas");

  for (const auto& type : list.at("job_types").as_array()) {
    const std::string name{type.at("name").as_string()};
    EXPECT_EQ(schemas.at(name + "_params"), type.at("params"));
    EXPECT_EQ(schemas.at(name + "_result"), type.at("result"));
  }
  EXPECT_THAT(list.at("job_types").as_array().at(0).at("name").as_string(),
              Not(IsEmpty()));
}

} // namespace troupe::net
