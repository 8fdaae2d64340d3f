#include "tests/media/egress_fixture.hpp"

#include <future>

namespace troupe::media {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST_F(egress, ForwardsRequestsOfOneConnectionToOneOrigin) {
  origin server{"127.0.0.2", echo_heads};
  auto client = connect();

  for (const auto* path : {"/first?a=b", "/second|third"}) {
    client.send(get(url_of(server, path),
                    "Connection: X-Private\r\nX-Private: 1\r\nX-Kept: 2\r\n"
                    "Proxy-Connection: keep-alive\r\nTE: trailers\r\n"));
    const auto [head, body] = client.read_response();
    EXPECT_THAT(head, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(body, StartsWith(std::string{"GET "} + path + " HTTP/1.1\r\n"));
    EXPECT_THAT(body, HasSubstr("Host: 127.0.0.2:"));
    EXPECT_THAT(body, HasSubstr("X-Kept: 2"));
    for (const auto* gone : {"X-Private", "Proxy-", "Connection:", "TE:"})
      EXPECT_THAT(body, Not(HasSubstr(gone)));
  }
  EXPECT_EQ(server.connections, 1);
}

TEST_F(egress, TunnelsBytesBothWaysAndHalfCloses) {
  origin server{"127.0.0.2", echo_bytes};
  auto client = connect();

  client.send(tunnel_to("127.0.0.2:" + std::to_string(server.port)) + "early");
  EXPECT_EQ(client.read_through("\r\n\r\n"), established);
  EXPECT_EQ(client.read_exactly(5), "early");
  client.send("late");
  client.shutdown_send();

  EXPECT_EQ(client.read_all(), "lateend");
  EXPECT_EQ(account_->report().received, 12u);
}

TEST_F(egress, ServesNobodyWithoutAnAccount) {
  origin server{"127.0.0.2", echo_heads};
  const auto old = get(url_of(server));
  account_ = proxy_->open({});

  for (const auto& request :
       {"GET " + url_of(server) + " HTTP/1.1\r\n\r\n",
        std::string{"CONNECT 127.0.0.2:1 HTTP/1.1\r\n"
                    "Proxy-Authorization: Basic eDp4\r\n\r\n"},
        old}) {
    auto client = connect();
    client.send(request);
    const auto all = client.read_all();
    EXPECT_THAT(all, StartsWith("HTTP/1.1 407 "));
    EXPECT_THAT(all, HasSubstr("Proxy-Authenticate: Basic"));
  }
  EXPECT_EQ(server.connections, 0);
}

TEST_F(egress, RefusesTheTargetOfARedirect) {
  origin hidden{"127.0.0.3", echo_heads};
  const auto location = url_of(hidden, "/", "127.0.0.3");
  origin server{"127.0.0.2", [&location](peer& client) {
                  client.read_through("\r\n\r\n");
                  client.send(
                    answer("302 Found", "Location: " + location + "\r\n", ""));
                }};

  EXPECT_THAT(fetch(url_of(server)).first, HasSubstr(location));
  EXPECT_THAT(fetch(location).first, StartsWith("HTTP/1.1 403 "));
  auto client = connect();
  client.send(tunnel_to("127.0.0.3:" + std::to_string(hidden.port)));
  EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 403 "));

  EXPECT_EQ(hidden.connections, 0);
  EXPECT_EQ(account_->report().refused, errc::source_forbidden);
  EXPECT_EQ(account_->report().refused_detail,
            "a redirect or link of the source led to 127.0.0.3, which may not "
            "be fetched from: it is no public address. To let it in, add "
            "\"127.0.0.3/32\" to sources.allow");
}

TEST_F(egress, RefusesANameThatRebinds) {
  origin server{"127.0.0.2", echo_heads};
  origin hidden{"127.0.0.3", echo_heads, server.port};
  names_.set("source.test", {"127.0.0.2", "127.0.0.3"});
  const auto url = url_of(server, "/", "source.test");

  EXPECT_THAT(fetch(url).first, StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(names_.asked, 1);
  EXPECT_THAT(fetch(url).first, StartsWith("HTTP/1.1 403 "));
  EXPECT_EQ(names_.asked, 2);

  EXPECT_EQ(server.connections, 1);
  EXPECT_EQ(hidden.connections, 0);
  EXPECT_THAT(account_->report().refused_detail,
              StartsWith("source.test (127.0.0.3) may not be fetched from"));
}

TEST_F(egress, TriesEachAddressThatIsLetIn) {
  origin server{"127.0.0.2", echo_heads};
  names_.set("both.test", {"127.0.0.3 127.0.0.2"});
  EXPECT_THAT(fetch(url_of(server, "/", "both.test")).first,
              StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(account_->report().refused, errc::none);

  config::source_settings settings;
  settings.allow = {"127.0.0.0/8"};
  egress_options options;
  options.resolve = names_.function();
  proxy_ = std::make_unique<egress_proxy>(threads_, address_guard{settings},
                                          std::move(options));
  ASSERT_TRUE(proxy_->start());
  account_ = proxy_->open({});
  EXPECT_THAT(fetch(url_of(server, "/", "both.test")).first,
              StartsWith("HTTP/1.1 200 "));
}

TEST_F(egress, AnswersForOriginsThatCannotBeReached) {
  std::uint16_t closed = 0;
  { closed = origin{"127.0.0.2", echo_heads}.port; }

  EXPECT_THAT(fetch("http://unknown.test/").first, StartsWith("HTTP/1.1 502 "));
  EXPECT_THAT(account_->report().last_failure, HasSubstr("unknown"));
  EXPECT_EQ(account_->report().unreached, errc::source_not_found);
  EXPECT_THAT(fetch("http://127.0.0.2:" + std::to_string(closed) + "/").first,
              StartsWith("HTTP/1.1 502 "));
  EXPECT_THAT(account_->report().last_failure, HasSubstr("refused"));
  EXPECT_EQ(account_->report().unreached, errc::source_unavailable);
  EXPECT_EQ(account_->report().refused, errc::none);

  origin mute{"127.0.0.2", [](peer& client) {
                client.read_exactly(1);
              }};
  EXPECT_THAT(fetch(url_of(mute)).first, StartsWith("HTTP/1.1 502 "));
}

TEST_F(egress, CutsWhatIsTooLarge) {
  origin server{"127.0.0.2", sending(8u << 20)};
  limit({.max_bytes = 1u << 20});

  auto other = connect();
  other.send(tunnel_to("127.0.0.2:" + std::to_string(server.port)));
  EXPECT_EQ(other.read_through("\r\n\r\n"), established);
  const auto body = fetch(url_of(server)).second;

  EXPECT_LT(body.size(), std::size_t{8u << 20});
  EXPECT_EQ(other.read_all(), "");
  EXPECT_EQ(account_->report().refused, errc::too_large);
  EXPECT_LE(account_->report().received, (1u << 20) + (64u << 10));
  EXPECT_THAT(fetch(url_of(server)).first, StartsWith("HTTP/1.1 403 "));
}

TEST_F(egress, KeepsAllConnectionsTogetherToTheRate) {
  constexpr std::size_t each = 512u << 10;
  origin server{"127.0.0.2", sending(each)};
  constexpr double rate = 1u << 20;
  limit({.rate = static_cast<std::uint64_t>(rate)});
  const auto begun = steady::now();

  std::vector<std::future<std::size_t>> fetched;
  for (int client = 0; client < 4; ++client)
    fetched.push_back(std::async(
      std::launch::async, [&] { return fetch(url_of(server)).second.size(); }));
  for (auto& one : fetched)
    EXPECT_EQ(one.get(), each);

  const std::chrono::duration<double> took = steady::now() - begun;
  const auto reached = 4 * each / took.count();
  EXPECT_GT(reached, rate * 0.85);
  EXPECT_LT(reached, rate * 1.15);
}

TEST_F(egress, SeesErrorsAndRetryAfter) {
  std::string status = "429 Too Many";
  std::string fields = "Retry-After: 17\r\n";
  origin server{"127.0.0.2", [&](peer& client) {
                  client.read_through("\r\n\r\n");
                  client.send(answer(status, fields, "x"));
                }};

  fetch(url_of(server));
  EXPECT_EQ(account_->report().last_error_status, 429);
  EXPECT_EQ(account_->report().retry_after_s, 17);

  status = "404 Not Found";
  fetch(url_of(server));
  EXPECT_EQ(account_->report().last_error_status, 404);
  EXPECT_EQ(account_->report().retry_after_s, 17);
}

} // namespace

} // namespace troupe::media
