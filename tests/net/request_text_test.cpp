#include "server_fixture.hpp"

namespace troupe::net {

namespace {

/// Ways to write a request (RFC 9112).
class request_text : public server_test {};

} // namespace

TEST_F(request_text, IgnoresEmptyLinesBeforeARequest) {
  auto client = connect();
  const auto rest =
    "GET /healthz HTTP/1.1\r\nHost: " + client.host() + "\r\n\r\n";

  client.send("\r\n\r\n" + rest + "\r\n" + rest);
  EXPECT_EQ(client.read().status, 200);
  EXPECT_EQ(client.read().status, 200);
  client.send("\r");
  client.send("\n" + rest);
  EXPECT_EQ(client.read().status, 200);
  client.send("\n" + rest);
  EXPECT_EQ(client.read().status, 400);
}

TEST_F(request_text, BoundsAllFieldsTogether) {
  const auto send = [this](int fields) {
    auto client = connect();
    auto text = "GET /healthz HTTP/1.1\r\nHost: " + client.host() + "\r\n";
    for (int i = 0; i < fields; ++i)
      text += "X-Filler: " + std::string(1000, 'a') + "\r\n";
    client.send(text + "\r\n");
    return client.read();
  };

  EXPECT_EQ(send(15).status, 200);
  const auto answer = send(40);
  EXPECT_EQ(answer.status, 431);
  EXPECT_EQ(code_of(answer), "header_too_large");
}

TEST_F(request_text, RefusesAFieldThatGoesOnInTheNextLine) {
  const auto host = "127.0.0.1:" + std::to_string(port);
  for (const auto& lines : {"Host: " + host + "\r\n .evil.example\r\n",
                            "Host:\r\n\t" + host + "\r\n",
                            "Host: " + host + "\r\nAccept: a,\r\n b\r\n"}) {
    auto client = connect();
    client.send("GET /healthz HTTP/1.1\r\n" + lines + "\r\n");
    const auto answer = client.read();
    EXPECT_EQ(answer.status, 400) << lines;
    EXPECT_EQ(code_of(answer), "invalid_request") << lines;
  }
  auto slowly = connect();
  slowly.send("GET /healthz HTTP/1.1\r\nHost: " + host + "\r\n");
  slowly.send(" x\r\n\r\n");
  EXPECT_EQ(slowly.read().status, 400);
}

TEST_F(request_text, GoesByTheAuthorityOfATargetThatHasOne) {
  const auto own = "127.0.0.1:" + std::to_string(port);

  EXPECT_EQ(
    ask("GET", "http://" + own + "/healthz", {}, "Host: evil.example\r\n")
      .status,
    200);
  EXPECT_EQ(code_of(ask("GET", "http://evil.example/healthz")), "forbidden");
  EXPECT_EQ(code_of(ask("GET", "http://me@" + own + "/healthz")),
            "invalid_request");
  EXPECT_EQ(code_of(ask("POST", "http://" + own + "/v1/jobs", noop,
                        "Host: evil.example\r\n"
                        "Origin: http://evil.example\r\n")),
            "forbidden");
}

TEST_F(request_text, BoundsTheExtensionsOfAllChunks) {
  const auto send = [this](int chunks, std::size_t bytes) {
    auto client = connect();
    client.send("POST /v1/jobs HTTP/1.1\r\nHost: " + client.host()
                + "\r\nContent-Type: application/json\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n");
    std::string body;
    for (int i = 0; i < chunks; ++i)
      body += "1;" + std::string(bytes, 'x') + "\r\n \r\n";
    client.send(body + "1B\r\n" + std::string{noop} + "\r\n0\r\n\r\n");
    return client.read();
  };

  EXPECT_EQ(send(8, 1000).status, 202);
  const auto answer = send(64, 1000);
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(code_of(answer), "invalid_request");
  EXPECT_EQ(gateway.submits().size(), 1u);
}

TEST_F(request_text, HoldsTrailersToTheRulesOfHeaders) {
  const auto send = [this](const std::string& first,
                           const std::string& second = "") {
    auto client = connect();
    client.send("POST /v1/jobs HTTP/1.1\r\nHost: " + client.host()
                + "\r\nContent-Type: application/json\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n1B\r\n"
                + std::string{noop} + "\r\n0\r\n" + first);
    if (!second.empty())
      client.send(second);
    return client.read();
  };
  const std::string end = "\r\n";
  std::string large;
  for (int i = 0; i < 17; ++i)
    large += "X-Filler: " + std::string(1000, 'a') + "\r\n";

  EXPECT_EQ(send("X-Sum: 1\r\nX-More: 2\r\n" + end).status, 202);
  EXPECT_EQ(send("X-Sum: 1\r\n", "X-More: 2\r\n" + end).status, 202);
  EXPECT_EQ(send(large.substr(0, 15 * 1012) + end).status, 202);
  for (const auto& [first, second] :
       {std::pair{large + end, std::string{}}, {large, end}, {large, ""}}) {
    const auto answer = send(first, second);
    EXPECT_EQ(answer.status, 431);
    EXPECT_EQ(code_of(answer), "header_too_large");
  }
  for (const auto& [first, second] :
       {std::pair{std::string{"X-Sum: 1\r\n 2\r\n\r\n"}, std::string{}},
        {"X-Sum: 1\r\n\t2\r\n", end},
        {"X-Sum: 1\r\n", " 2\r\n\r\n"}}) {
    const auto answer = send(first, second);
    EXPECT_EQ(answer.status, 400) << first;
    EXPECT_EQ(code_of(answer), "invalid_request") << first;
  }
  EXPECT_EQ(gateway.submits().size(), 3u);
}

} // namespace troupe::net
