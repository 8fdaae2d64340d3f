#include "server_fixture.hpp"

#include <gmock/gmock.h>

namespace troupe::net {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

namespace {

/// Requests that are HTTP, and yet not to be served.
class bad_requests : public server_test {
protected:
  [[nodiscard]] std::string post(const std::string& fields) const {
    return "POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port)
           + "\r\nContent-Type: application/json\r\n" + fields + "\r\n";
  }
};

} // namespace

TEST_F(bad_requests, AMethodThatNobodyTakesIsToldWhichWouldBe) {
  for (const auto* method : {"TRACE", "BREW", "get", "OTHER"}) {
    const auto answer = ask(method, "/v1/queues");
    EXPECT_EQ(answer.status, 405) << method;
    EXPECT_EQ(code_of(answer), "method_not_allowed");
    EXPECT_EQ(answer.fields.at("allow"), "GET, HEAD, OPTIONS");
  }
  EXPECT_EQ(ask("BREW", "/v1/tea").status, 404);
  const auto tunnel = ask("CONNECT", "example.com:443");
  EXPECT_EQ(tunnel.status, 405);
  EXPECT_EQ(tunnel.fields.count("allow"), 1u);
}

TEST_F(bad_requests, AnAsteriskIsForOptionsAlone) {
  EXPECT_EQ(ask("OPTIONS", "*").status, 204);
  for (const auto* method : {"GET", "POST", "BREW"})
    EXPECT_EQ(code_of(ask(method, "*")), "invalid_request") << method;
}

TEST_F(bad_requests, OptionsOfTheServerMayNameItInFull) {
  const auto own = "http://127.0.0.1:" + std::to_string(port);

  const auto whole = ask("OPTIONS", own);
  EXPECT_EQ(whole.status, 204);
  EXPECT_EQ(whole.fields.at("allow"), ask("OPTIONS", "*").fields.at("allow"));
  EXPECT_EQ(ask("OPTIONS", own + "/v1/queues").fields.at("allow"),
            "GET, HEAD, OPTIONS");
  EXPECT_EQ(ask("OPTIONS", own + "/v1/tea").status, 404);
}

TEST_F(bad_requests, EachStatusHasACodeOfItsOwn) {
  leave_file("clip.mp4", "0123456789");
  const auto post = "POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1:"
                    + std::to_string(port) + "\r\n";
  const auto sent = [this](const std::string& bytes) {
    auto client = connect();
    client.send(bytes);
    return client.read();
  };

  const auto range =
    ask("GET", "/v1/jobs/done/files/clip.mp4", {}, "Range: bytes=99-\r\n");
  const auto expecting =
    sent(post + "Expect: tea\r\nContent-Length: 5\r\n\r\n");
  const auto plain = ask("GET", "/v1/ws");
  const auto large = sent(post + "X: " + std::string(20000, 'a'));

  EXPECT_EQ(range.status, 416);
  EXPECT_EQ(code_of(range), "range_not_satisfiable");
  EXPECT_EQ(expecting.status, 417);
  EXPECT_EQ(code_of(expecting), "expectation_failed");
  EXPECT_EQ(plain.status, 426);
  EXPECT_EQ(code_of(plain), "upgrade_required");
  EXPECT_EQ(large.status, 431);
  EXPECT_EQ(code_of(large), "header_too_large");
}

TEST_F(bad_requests, AnIdempotencyKeyThatSaysNothingIsNotIgnored) {
  const std::string empty = "Idempotency-Key:\r\n";
  const std::string batch = R"({"jobs":[{"type":"noop","params":{}}]})";

  EXPECT_EQ(code_of(submit(noop, empty)), "invalid_request");
  EXPECT_EQ(code_of(ask("POST", "/v1/jobs/batch", batch, empty)),
            "invalid_request");
  EXPECT_THAT(gateway.submits(), IsEmpty());
}

TEST_F(bad_requests, ALocalSourceThatLeadsElsewhereIsNoJob) {
  for (const auto& [source, why] :
       std::vector<std::pair<std::string, std::string>>{
         {"local:///../secret.mp4", "must not hold .."},
         {"local:///a/%2e%2e/%2E./b", "must not hold .."},
         {"local:////etc/passwd", "not an absolute one"},
         {"local:///%2Fetc/passwd", "not an absolute one"},
         {"local:///a%00.mp4", "must not hold a NUL"},
         {"local:///a%zz", "must be percent-encoded"},
         {"local:///a/", "must name a file"},
         {"local:///", "must name a file"},
         {"local:///a/.", "must name a file"},
         {"local://host/a", "must be local:///path"},
         {"file:///etc/passwd", "must be local:///path"}}) {
    const auto quoted = boost::json::serialize(boost::json::string{source});
    const auto submitted =
      submit(R"({"type":"probe","params":{"source":)" + quoted + "}}");
    const auto many =
      submit(R"({"type":"image_batch","params":{"operations":[{"name":"a"}],)"
             R"("sources":["local:///good.jpg",)"
             + quoted + "]}}");
    std::string escaped;
    for (const char c : source)
      escaped += c == '%' ? std::string{"%25"} : std::string{c};
    const auto probed = ask("GET", "/v1/probe?source=" + escaped);

    for (const auto* answer : {&submitted, &many, &probed})
      EXPECT_EQ(answer->status, 422) << source << answer->body;
    EXPECT_THAT(pointers_of(submitted), ElementsAre("/params/source"));
    EXPECT_THAT(pointers_of(many), ElementsAre("/params/sources/1"));
    EXPECT_THAT(pointers_of(probed), ElementsAre("/source"));
    EXPECT_THAT(submitted.body, HasSubstr(why));
    EXPECT_THAT(probed.body, HasSubstr(why));
  }
  for (const auto* folder : {"local:///../a", "local:////etc"}) {
    const auto params = R"({"type":"image_batch","params":{"operations":)"
                        R"([{"name":"a"}],")";
    EXPECT_THAT(pointers_of(submit(std::string{params} + "source_dir\":\""
                                   + folder + "\"}}")),
                ElementsAre("/params/source_dir"));
    EXPECT_THAT(pointers_of(submit(std::string{params} + "glob\":\"" + folder
                                   + "/*.jpg\"}}")),
                ElementsAre("/params/glob"));
  }
  EXPECT_THAT(gateway.submits(), IsEmpty());
}

TEST_F(bad_requests, AForeignPageMayNotUseAnUnknownMethodEither) {
  EXPECT_EQ(
    ask("BREW", "/v1/jobs", {}, "Origin: https://evil.example\r\n").status,
    403);
}

TEST_F(bad_requests, ParametersThatNobodyAsksForAreNamed) {
  for (const auto* path :
       {"/healthz", "/v1/queues", "/v1/job-types", "/v1/jobs/a", "/metrics",
        "/v1/nodes", "/v1/jobs/a/files/b", "/docs"}) {
    const auto answer = ask("GET", std::string{path} + "?colour=red&x");
    EXPECT_EQ(code_of(answer), "invalid_params") << path;
    EXPECT_THAT(pointers_of(answer), ElementsAre("/colour", "/x")) << path;
  }
  EXPECT_THAT(pointers_of(ask("POST", "/v1/jobs?dry_run=1", noop)),
              ElementsAre("/dry_run"));
  EXPECT_THAT(gateway.submits(), IsEmpty());
}

TEST_F(bad_requests, ParametersThatAreAskedForStandOnceAndAlone) {
  EXPECT_THAT(
    pointers_of(ask("GET", "/v1/events?topics=jobs&topics=nodes&topic=x")),
    ElementsAre("/topics", "/topic"));
  EXPECT_THAT(pointers_of(ask("GET", "/v1/jobs?state=queued&state=failed")),
              ElementsAre("/state"));
  EXPECT_THAT(pointers_of(ask("GET", "/v1/jobs/a/log?follow=maybe&tail=3")),
              ElementsAre("/follow", "/tail"));
  EXPECT_THAT(pointers_of(ask("GET", "/v1/probe?source=local:///a&x=1")),
              ElementsAre("/x"));
  EXPECT_THAT(pointers_of(ask("GET", "/v1/callbacks?page_size=2&page=3")),
              ElementsAre("/page"));
}

TEST_F(bad_requests, TooManyTopicsAreCounted) {
  std::string topics = "job:0";
  for (int i = 1; i < 33; ++i)
    topics += ",job:" + std::to_string(i);

  const auto answer = ask("GET", "/v1/events?topics=" + topics);

  EXPECT_EQ(json_of(answer).at("detail"),
            "topics must name at most 32 topics, and names 33");
}

TEST_F(bad_requests, ACodedBodyIsToldThatItMustComePlain) {
  const auto answer = submit(noop, "Content-Encoding: gzip\r\n");

  EXPECT_EQ(answer.status, 415);
  EXPECT_EQ(code_of(answer), "unsupported_media_type");
  EXPECT_EQ(answer.fields.at("accept-encoding"), "identity");
  EXPECT_EQ(submit(noop, "Content-Encoding: Identity\r\n").status, 202);
  EXPECT_EQ(ask("GET", "/healthz", {}, "Content-Encoding: gzip\r\n").status,
            200);
}

TEST_F(bad_requests, AFieldThatContradictsItselfIsRefused) {
  for (const auto* field :
       {"Content-Type: application/json", "Idempotency-Key: a",
        "Origin: http://127.0.0.1", "Content-Encoding: identity",
        "Range: bytes=0-1", "Last-Event-ID: a:1", "Expect: 100-continue"}) {
    const auto line = std::string{field} + "\r\n";
    auto client = connect();
    client.send(post(line + line + "Content-Length: 0\r\n"));
    const auto answer = client.read();
    EXPECT_EQ(answer.status, 400) << field;
    EXPECT_EQ(code_of(answer), "invalid_request") << field;
  }
  const std::string id = "X-Request-Id: a\r\n";
  EXPECT_EQ(ask("GET", "/healthz", {}, id + "X-Request-Id: b\r\n")
              .fields.at("x-request-id"),
            "a");
}

TEST_F(bad_requests, ABodyOfUnknownLengthIsNoNextRequest) {
  const std::string hidden = post("Content-Length: 27\r\n") + std::string{noop};
  for (const auto* coding :
       {"Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, gzip\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n",
        "Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: \x0b chunked\r\n", "Transfer-Encoding:\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n"}) {
    auto client = connect();
    client.send(post(coding) + hidden);
    const auto answer = client.read();
    EXPECT_EQ(answer.status, 400) << coding;
    EXPECT_EQ(answer.fields.at("connection"), "close") << coding;
    EXPECT_EQ(client.read().status, 0) << coding;
  }
  auto old = connect();
  old.send("POST /v1/jobs HTTP/1.0\r\nHost: " + old.host()
           + "\r\nConnection: keep-alive\r\nContent-Type: application/json\r\n"
             "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
           + hidden);
  EXPECT_EQ(old.read().status, 400);
  EXPECT_EQ(old.read().status, 0);
  EXPECT_THAT(gateway.submits(), SizeIs(0));
}

} // namespace troupe::net
