#include "server_fixture.hpp"

#include "actors/store/errc.hpp"

#include <gmock/gmock.h>

#include <sys/socket.h>

#include <chrono>
#include <thread>

namespace troupe::net {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace {

class http_edge : public server_test {};

} // namespace

// -- connections --------------------------------------------------------------

TEST_F(http_edge, AnswersSeveralRequestsOnOneConnection) {
  auto client = connect();

  EXPECT_EQ(client.ask("GET", "/healthz").status, 200);
  EXPECT_EQ(client.ask("POST", "/v1/jobs", noop).status, 202);
  EXPECT_EQ(client.ask("GET", "/v1/nothing").status, 404);
  EXPECT_EQ(client.ask("GET", "/healthz").status, 200);
}

TEST_F(http_edge, AnswersPipelinedRequestsInTheirOrder) {
  auto client = connect();
  const auto host = "Host: " + client.host() + "\r\n";

  client.send("GET /healthz HTTP/1.1\r\n" + host + "X-Request-Id: one\r\n\r\n"
              + "POST /v1/jobs HTTP/1.1\r\n" + host
              + "X-Request-Id: two\r\nContent-Type: application/json\r\n"
                "Content-Length: 27\r\n\r\n"
              + std::string{noop} + "GET /v1/queues HTTP/1.1\r\n" + host
              + "X-Request-Id: three\r\n\r\n");

  for (const auto* id : {"one", "two", "three"})
    EXPECT_EQ(client.read().fields["x-request-id"], id);
}

TEST_F(http_edge, ClosesWhenAskedTo) {
  auto client = connect();

  const auto answer =
    client.ask("GET", "/healthz", {}, "Connection: close\r\n");

  EXPECT_EQ(answer.fields.at("connection"), "close");
  EXPECT_TRUE(client.closed());
}

TEST_F(http_edge, KeepsAnHttp10ConnectionOnlyIfAskedTo) {
  auto once = connect();
  once.send("GET /healthz HTTP/1.0\r\nHost: " + once.host() + "\r\n\r\n");
  EXPECT_EQ(once.read().fields["connection"], "close");
  EXPECT_TRUE(once.closed());

  auto twice = connect();
  twice.send("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\nHost: "
             + twice.host() + "\r\n\r\n");
  EXPECT_EQ(twice.read().fields["connection"], "keep-alive");
  EXPECT_EQ(twice.ask("GET", "/healthz").status, 200);
}

TEST_F(http_edge, AnswersHeadWithoutBody) {
  auto client = connect();

  const auto answer = client.ask("HEAD", "/healthz");

  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.fields.at("content-length"), "15");
  EXPECT_EQ(client.ask("GET", "/healthz").body, R"({"status":"ok"})");
}

TEST_F(http_edge, SendsContinueBeforeTheBodyAndNotBeforeARefusal) {
  auto client = connect();
  const auto start = "POST /v1/jobs HTTP/1.1\r\nHost: " + client.host()
                     + "\r\nContent-Type: application/json\r\n"
                       "Expect: 100-continue\r\nContent-Length: ";

  client.send(start + "27\r\n\r\n");
  EXPECT_EQ(client.read().status, 100);
  client.send(noop);
  EXPECT_EQ(client.read().status, 202);

  client.send(start + "2000000\r\n\r\n");
  EXPECT_EQ(code_of(client.read()), "body_too_large");
}

TEST_F(http_edge, ReadsChunkedBodies) {
  auto client = connect();

  client.send(
    "POST /v1/jobs HTTP/1.1\r\nHost: " + client.host()
    + "\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\n"
      "5\r\n{\"typ\r\n16\r\ne\":\"noop\",\"params\":{}}\r\n0\r\n\r\n");

  EXPECT_EQ(client.read().status, 202);
}

TEST_F(http_edge, TellsASlowHeaderSoAndCutsItOff) {
  settings.header_timeout_s = 1;
  restart();
  auto client = connect();

  client.send("GET /healthz HTTP/1.1\r\nHost: ");

  auto answer = client.read();
  EXPECT_EQ(answer.status, 408);
  EXPECT_EQ(code_of(answer), "request_timeout");
  EXPECT_EQ(answer.fields["connection"], "close");
  EXPECT_TRUE(client.closed());
}

TEST_F(http_edge, TellsASlowBodySoAndCutsOffAnIdleConnection) {
  settings.body_timeout_s = 1;
  settings.idle_timeout_s = 1;
  restart();
  auto slow = connect();
  auto idle = connect();

  slow.send("POST /v1/jobs HTTP/1.1\r\nHost: " + slow.host()
            + "\r\nContent-Type: application/json\r\n"
              "Content-Length: 27\r\n\r\n{\"type\"");

  EXPECT_EQ(slow.read().status, 408);
  EXPECT_TRUE(slow.closed());
  EXPECT_EQ(idle.read().status, 0);
  EXPECT_TRUE(idle.closed());
  EXPECT_THAT(gateway.submits(), IsEmpty());
}

TEST_F(http_edge, TurnsAwayConnectionsBeyondTheLimit) {
  settings.max_connections = 2;
  restart();
  auto first = connect();
  auto second = connect();
  EXPECT_EQ(first.ask("GET", "/healthz").status, 200);
  EXPECT_EQ(second.ask("GET", "/healthz").status, 200);

  auto third = connect();
  const auto answer = third.read();

  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.fields.at("retry-after"), "1");
  EXPECT_EQ(first.ask("GET", "/healthz").status, 200);
}

TEST_F(http_edge, StopsAfterTheRequestUnderWay) {
  gateway.hold();
  auto busy = connect();
  auto idle = connect();
  EXPECT_EQ(idle.ask("GET", "/healthz").status, 200);
  std::jthread asking{[&] {
    const auto answer = busy.ask("POST", "/v1/jobs", noop);
    EXPECT_EQ(answer.status, 202);
    EXPECT_EQ(answer.fields.at("connection"), "close");
  }};
  while (gateway.held() == 0)
    std::this_thread::yield();

  std::jthread stopping{[&] {
    running->stop(10s);
  }};
  EXPECT_TRUE(idle.closed());
  gateway.release();
}

TEST_F(http_edge, StopCutsWhatIsStillUnansweredAfterTheGrace) {
  gateway.hold();
  auto busy = connect();
  std::jthread asking{[&] {
    busy.ask("POST", "/v1/jobs", noop);
  }};
  while (gateway.held() == 0)
    std::this_thread::yield();

  const auto from = std::chrono::steady_clock::now();
  running->stop(100ms);

  EXPECT_LT(std::chrono::steady_clock::now() - from, 3s);
  running.reset();
  gateway.release();
}

TEST_F(http_edge, BindsItsPortAgainAtOnce) {
  auto client = connect();
  EXPECT_EQ(client.ask("GET", "/healthz").status, 200);
  settings.listen = "127.0.0.1:" + std::to_string(port);

  restart();

  EXPECT_EQ(ask("GET", "/healthz").status, 200);
}

TEST_F(http_edge, RefusesToListenOffLoopback) {
  settings.listen = "0.0.0.0:0";
  server open{settings,
              server_parts{gateway, metrics, guard, library, nullptr, nullptr}};

  const auto bound = open.listen();

  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().code,
            std::make_error_condition(std::errc::operation_not_permitted));
}

// -- what makes no sense ------------------------------------------------------

TEST_F(http_edge, AnswersMalformedRequestsWithAProblem) {
  const auto host = "Host: 127.0.0.1:" + std::to_string(port) + "\r\n";
  const auto post =
    "POST /v1/jobs HTTP/1.1\r\n" + host + "Content-Type: application/json\r\n";
  for (const auto& [bytes, status] : std::vector<std::pair<std::string, int>>{
         {"\x16\x03\x01\x02garbage\r\n\r\n", 400},
         {"GET / HTTP/9.9\r\n" + host + "\r\n", 400},
         {"GET  HTTP/1.1\r\n" + host + "\r\n", 400},
         {"GET / HTTP/1.1\r\n\r\n", 400},
         {"GET / HTTP/1.1\r\n" + host + host + "\r\n", 400},
         {"GET /%zz HTTP/1.1\r\n" + host + "\r\n", 400},
         {"GET /%ff HTTP/1.1\r\n" + host + "\r\n", 400},
         {"GET / HTTP/1.1\r\n" + host + "Bad Name: x\r\n\r\n", 400},
         {"BREW / HTTP/1.1\r\n" + host + "\r\n", 404},
         {"GET / HTTP/1.1\r\n" + host + "X: " + std::string(20000, 'a'), 431},
         {post + "Content-Length: -5\r\n\r\n", 400},
         {post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", 400},
         {post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
          400},
         {post + "Transfer-Encoding: chunked\r\n\r\nZZZ\r\n", 400},
         {post + "Expect: tea\r\nContent-Length: 5\r\n\r\n", 417},
         {post + "Content-Length: 1048577\r\n\r\n", 413}}) {
    auto client = connect();
    client.send(bytes);
    const auto answer = client.read();
    EXPECT_EQ(answer.status, status) << bytes.substr(0, 80);
    EXPECT_NE(code_of(answer), "") << bytes.substr(0, 80);
  }
  EXPECT_EQ(ask("GET", "/healthz").status, 200);
}

TEST_F(http_edge, AnswersABodyThatIsTooLargeThoughTheClientSendsItAll) {
  const std::string large(3 << 20, ' ');
  EXPECT_EQ(code_of(submit(large)), "body_too_large");

  auto chunked = connect();
  chunked.send("POST /v1/jobs HTTP/1.1\r\nHost: " + chunked.host()
               + "\r\nContent-Type: application/json\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n200000\r\n");
  chunked.send(large);
  EXPECT_EQ(code_of(chunked.read()), "body_too_large");
}

TEST_F(http_edge, NamesTheMethodsOfAPath) {
  const auto answer = ask("PATCH", "/v1/jobs");

  EXPECT_EQ(code_of(answer), "method_not_allowed");
  EXPECT_EQ(answer.fields.at("allow"), "POST, GET, HEAD, OPTIONS");
  EXPECT_EQ(code_of(ask("GET", "/v1/jobs/")), "not_found");
  EXPECT_EQ(ask("OPTIONS", "/v1/queues").fields.at("allow"),
            "GET, HEAD, OPTIONS");
}

// -- browsers -----------------------------------------------------------------

TEST_F(http_edge, KnowsItsOwnNames) {
  const auto at = std::to_string(port);
  for (const auto& host : {"localhost:" + at, "127.0.0.1:" + at, "[::1]:" + at,
                           "LocalHost:" + at, std::string{"127.0.0.1"}})
    EXPECT_EQ(ask("GET", "/healthz", {}, "Host: " + host + "\r\n").status, 200)
      << host;
  for (const auto& host :
       {std::string{"evil.example"}, "evil.example:" + at,
        std::string{"localhost:1"}, std::string{"localhost.evil.example"},
        std::string{":"}})
    EXPECT_EQ(code_of(ask("GET", "/healthz", {}, "Host: " + host + "\r\n")),
              "forbidden")
      << host;
}

TEST_F(http_edge, TakesFurtherHostsFromTheSettings) {
  settings.hosts = {"media.example"};
  restart();

  EXPECT_EQ(ask("GET", "/healthz", {}, "Host: media.example\r\n").status, 200);
  EXPECT_EQ(ask("GET", "/healthz", {}, "Host: media.example:81\r\n").status,
            200);
}

TEST_F(http_edge, KeepsForeignPagesFromChangingAnything) {
  const auto own = "Origin: http://127.0.0.1:" + std::to_string(port) + "\r\n";
  const std::string foreign = "Origin: https://evil.example\r\n";

  EXPECT_EQ(submit(noop, own).status, 202);
  EXPECT_EQ(code_of(submit(noop, foreign)), "forbidden");
  EXPECT_EQ(code_of(submit(noop, "Origin: null\r\n")), "forbidden");
  EXPECT_EQ(code_of(submit(noop, "Origin:\r\n")), "forbidden");
  EXPECT_EQ(code_of(ask("GET", "/v1/ws", {},
                        foreign
                          + "Upgrade: websocket\r\n"
                            "Connection: upgrade\r\n")),
            "forbidden");
  EXPECT_EQ(ask("GET", "/v1/queues", {}, foreign)
              .fields.count("access-control-allow-origin"),
            0u);
  EXPECT_EQ(gateway.submits().size(), 1u);
}

TEST_F(http_edge, LetsListedOriginsIn) {
  settings.origins = {"https://page.example"};
  restart();
  const std::string origin = "Origin: https://page.example\r\n";

  const auto made = submit(noop, origin);
  const auto asked = ask("OPTIONS", "/v1/jobs", {},
                         origin + "Access-Control-Request-Method: POST\r\n");
  const auto stranger = ask("OPTIONS", "/v1/jobs", {},
                            "Origin: https://evil.example\r\n"
                            "Access-Control-Request-Method: POST\r\n");

  EXPECT_EQ(made.status, 202);
  EXPECT_EQ(made.fields.at("access-control-allow-origin"),
            "https://page.example");
  EXPECT_EQ(made.fields.at("vary"), "Origin");
  EXPECT_EQ(ask("GET", "/healthz").fields.at("vary"), "Origin");
  EXPECT_EQ(asked.status, 204);
  EXPECT_THAT(asked.fields.at("access-control-allow-methods"),
              HasSubstr("POST"));
  EXPECT_EQ(stranger.status, 403);
}

TEST_F(http_edge, GivesEachRequestAnId) {
  const auto minted = ask("GET", "/healthz").fields.at("x-request-id");
  const auto other = ask("GET", "/healthz").fields.at("x-request-id");

  EXPECT_NE(minted, other);
  EXPECT_EQ(ask("GET", "/healthz", {}, "X-Request-Id: a-1\r\n")
              .fields.at("x-request-id"),
            "a-1");
  EXPECT_NE(ask("GET", "/healthz", {}, "X-Request-Id: a b\r\n")
              .fields.at("x-request-id"),
            "a b");
}

} // namespace troupe::net
