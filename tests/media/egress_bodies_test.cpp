#include "tests/media/egress_fixture.hpp"

namespace troupe::media {

namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(egress, PassesChunkedBodiesThrough) {
  origin server{"127.0.0.2", [](peer& client) {
                  client.read_through("\r\n\r\n");
                  const auto body = client.read_through("0\r\n\r\n");
                  client.send("HTTP/1.1 200 OK\r\n"
                              "Transfer-Encoding: chunked\r\n\r\n"
                              + body);
                }};
  auto client = connect();

  client.send("POST " + url_of(server) + " HTTP/1.1\r\n" + credentials()
              + "Transfer-Encoding: chunked\r\n\r\n"
                "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");

  EXPECT_THAT(client.read_through("\r\n\r\n"),
              HasSubstr("Transfer-Encoding: chunked"));
  auto body = client.read_through("0\r\n\r\n");
  std::string text;
  for (const char c : body)
    if (c >= 'a' && c <= 'g')
      text += c;
  EXPECT_EQ(text, "abcdefg");
}

TEST_F(egress, PassesLargeRequestBodies) {
  const std::string body(3u << 20, 'b');
  origin server{"127.0.0.2", [&body](peer& client) {
                  client.read_through("\r\n\r\n");
                  const auto got = client.read_exactly(body.size());
                  client.send(answer("200 OK", "", got == body ? "same" : ""));
                }};
  auto client = connect();

  client.send("POST " + url_of(server) + " HTTP/1.1\r\n" + credentials()
              + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n"
              + body);

  EXPECT_EQ(client.read_response().second, "same");
}

TEST_F(egress, AsksForTheBodyWhenTheOriginDoes) {
  for (const auto* interim :
       {"HTTP/1.1 100 Continue\r\n\r\n", "", "HTTP/1.1 103 Early\r\n\r\n"}) {
    origin server{"127.0.0.2", [interim](peer& client) {
                    const auto head = client.read_through("\r\n\r\n");
                    if (head.find("100-continue") == std::string::npos)
                      return;
                    const std::string first = interim;
                    client.send(first);
                    if (first.find("103") != std::string::npos)
                      client.send("HTTP/1.1 100 Continue\r\n\r\n");
                    client.send(answer("200 OK", "", client.read_exactly(4)));
                  }};
    auto client = connect();
    client.send("PUT " + url_of(server) + " HTTP/1.1\r\n" + credentials()
                + "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    EXPECT_EQ(client.read_through("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("body");
    EXPECT_EQ(client.read_response().second, "body");
  }
}

TEST_F(egress, PassesOnARefusalOfTheBody) {
  origin server{"127.0.0.2", [](peer& client) {
                  client.read_through("\r\n\r\n");
                  client.send(answer("417 No", "", "no"));
                }};
  auto client = connect();

  client.send("PUT " + url_of(server) + " HTTP/1.1\r\n" + credentials()
              + "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n");

  const auto [head, body] = client.read_response();
  EXPECT_THAT(head, StartsWith("HTTP/1.1 417 "));
  EXPECT_EQ(body, "no");
  // The unsent body must not be taken for a request.
  EXPECT_THAT(head, HasSubstr("Connection: close"));
}

TEST_F(egress, KnowsResponsesWithoutABody) {
  origin server{"127.0.0.2", [](peer& client) {
                  client.read_through("\r\n\r\n");
                  client.send("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n");
                  client.read_through("\r\n\r\n");
                  client.send(
                    "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n");
                  client.read_through("\r\n\r\n");
                  client.send(answer("200 OK", "", "last"));
                }};
  auto client = connect();

  client.send("HEAD " + url_of(server) + " HTTP/1.1\r\n" + credentials()
              + "\r\n");
  EXPECT_THAT(client.read_through("\r\n\r\n"),
              HasSubstr("Content-Length: 999"));
  client.send(get(url_of(server)));
  EXPECT_THAT(client.read_through("\r\n\r\n"), HasSubstr("ETag"));
  client.send(get(url_of(server)));
  EXPECT_EQ(client.read_response().second, "last");
}

TEST_F(egress, ABodyThatIsCutShortIsSeenToBe) {
  origin whole{"127.0.0.2", [](peer& client) {
                 client.read_through("\r\n\r\n");
                 client.send("HTTP/1.0 200 OK\r\n\r\nuntil the end");
               }};
  origin short_one{"127.0.0.2", [](peer& client) {
                     client.read_through("\r\n\r\n");
                     client.send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n"
                                 "\r\nshort");
                   }};
  auto client = connect();
  client.send(get(url_of(whole)));
  EXPECT_THAT(client.read_through("\r\n\r\n"), HasSubstr("Connection: close"));
  EXPECT_EQ(client.read_all(), "until the end");

  const auto [head, body] = fetch(url_of(short_one));
  EXPECT_THAT(head, HasSubstr("Content-Length: 99"));
  EXPECT_EQ(body, "short");
}

TEST_F(egress, AnOriginThatHungUpIsAskedAgainOnce) {
  origin server{"127.0.0.2", [](peer& client) {
                  client.read_through("\r\n\r\n");
                  client.send(answer("200 OK", "", "x"));
                }};
  auto client = connect();
  for (int request = 1; request <= 3; ++request) {
    client.send(get(url_of(server)));
    EXPECT_EQ(client.read_response().second, "x");
    EXPECT_EQ(server.connections, request);
  }
}

TEST_F(egress, RefusesGarbage) {
  origin server{"127.0.0.2", echo_heads};
  const auto auth = credentials();
  for (const auto& request :
       {std::string{"\x16\x03\x01 not http at all\r\n\r\n"},
        std::string{"GET\r\n\r\n"}, "GET /path HTTP/1.1\r\n" + auth + "\r\n",
        "GET https://a/ HTTP/1.1\r\n" + auth + "\r\n",
        "GET http://u@127.0.0.2/ HTTP/1.1\r\n" + auth + "\r\n",
        "CONNECT 127.0.0.2 HTTP/1.1\r\n" + auth + "\r\n",
        "GET " + url_of(server) + " HTTP/1.1\r\n" + auth
          + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "GET http://a/" + std::string(100'000, 'a')}) {
    auto client = connect();
    client.send(request);
    EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 400 "))
      << request.substr(0, 60);
  }
  EXPECT_EQ(server.connections, 0);
  EXPECT_THAT(fetch(url_of(server)).first, StartsWith("HTTP/1.1 200 "));
}

} // namespace

} // namespace troupe::media
