#include "media/egress/address_guard.hpp"
#include "media/egress/proxy.hpp"
#include "media/egress/target.hpp"
#include "tests/media/loopback.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <sstream>

namespace troupe::media {

namespace {

namespace ip = boost::asio::ip;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

bool allows(const address_guard& guard, const std::string& text) {
  return guard.allows(ip::make_address(text));
}

TEST(AddressGuard, AllowsWhatIsPublicOnly) {
  const address_guard guard{{}};

  for (const auto* address : {"1.1.1.1",         "8.8.8.8",
                              "93.184.216.34",   "11.0.0.0",
                              "100.63.255.255",  "100.128.0.0",
                              "172.15.255.255",  "172.32.0.0",
                              "192.0.1.0",       "198.17.255.255",
                              "198.20.0.0",      "223.255.255.255",
                              "2606:4700::1111", "2a00:1450:4001::200e",
                              "2001:200::1",     "2001:4860:4860::8888",
                              "::ffff:8.8.8.8",  "64:ff9b::8.8.8.8",
                              "2002:808:808::1", "3fff:1000::1"})
    EXPECT_TRUE(allows(guard, address)) << address;
}

TEST(AddressGuard, RefusesEverySpecialRange) {
  const address_guard guard{{}};

  for (const auto* address : {"0.0.0.0",
                              "0.1.2.3",
                              "10.0.0.1",
                              "100.64.0.1",
                              "100.127.255.255",
                              "127.0.0.1",
                              "127.255.255.254",
                              "169.254.169.254",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.0.0.1",
                              "192.0.2.1",
                              "192.88.99.1",
                              "192.168.1.1",
                              "198.18.0.1",
                              "198.19.255.255",
                              "198.51.100.1",
                              "203.0.113.1",
                              "224.0.0.1",
                              "239.255.255.255",
                              "240.0.0.1",
                              "255.255.255.255",
                              "::",
                              "::1",
                              "::7f00:1",
                              "::ffff:127.0.0.1",
                              "::ffff:10.0.0.1",
                              "::ffff:0:127.0.0.1",
                              "64:ff9b::10.0.0.1",
                              "64:ff9b::7f00:1",
                              "64:ff9b:1::8.8.8.8",
                              "64:ff9b:1:ffff::1",
                              "100::1",
                              "100:0:0:1::1",
                              "2001::1",
                              "2001:0:4136:e378::1",
                              "2001:1::1",
                              "2001:2::1",
                              "2001:10::1",
                              "2001:20::1",
                              "2001:30::1",
                              "2001:1ff::1",
                              "2001:db8::1",
                              "2002:7f00:1::1",
                              "2002:a00:1::1",
                              "2002:c0a8:101::1",
                              "2620:4f:8000::1",
                              "3fff::1",
                              "3fff:fff::1",
                              "5f00::1",
                              "fc00::1",
                              "fd12:3456::1",
                              "fe80::1",
                              "febf::1",
                              "fec0::1",
                              "ff02::1",
                              "4000::1"})
    EXPECT_FALSE(allows(guard, address)) << address;
}

TEST(AddressGuard, LetsInTheBlocksOfTheConfiguration) {
  config::source_settings settings;
  settings.allow = {"127.0.0.2/32", "10.1.0.0/16", "fd00:1::/33",
                    "192.168.5.5"};
  const address_guard guard{settings};

  for (const auto* address : {"127.0.0.2", "::ffff:127.0.0.2", "10.1.255.255",
                              "fd00:1:7fff::1", "192.168.5.5", "1.1.1.1"})
    EXPECT_TRUE(allows(guard, address)) << address;
  for (const auto* address :
       {"127.0.0.3", "127.0.0.1", "10.2.0.0", "fd00:1:8000::1", "192.168.5.6",
        "64:ff9b::7f00:2", "2002:7f00:2::1"})
    EXPECT_FALSE(allows(guard, address)) << address;

  settings.allow_private = true;
  EXPECT_TRUE(allows(address_guard{settings}, "127.0.0.3"));
}

TEST(AddressGuard, LetsInEveryAddressOfAnEmptyPrefix) {
  config::source_settings settings;
  settings.allow = {"0.0.0.0/0"};
  EXPECT_TRUE(allows(address_guard{settings}, "127.0.0.1"));
  EXPECT_FALSE(allows(address_guard{settings}, "::1"));
  settings.allow = {"::/0"};
  EXPECT_TRUE(allows(address_guard{settings}, "::1"));
}

TEST(AddressGuard, SeesThroughEverySpellingOfAnAddress) {
  const address_guard guard{{}};

  for (const auto* host : {"127.0.0.1",          "127.1",      "0x7f.1",
                           "0x7f000001",         "2130706433", "0177.1",
                           "017700000001",       "0",          "[::1]",
                           "[::ffff:127.0.0.1]", "::1",        "127.0.0.1.",
                           "localhost",          "LOCALHOST.", "a.localhost",
                           "ip6-localhost",      "",           "[fe80::1%eth0]",
                           "169.254.169.254",    "0xa9fea9fe"})
    EXPECT_FALSE(guard.may_name(host)) << host;
  for (const auto* host : {"example.org", "8.8.8.8", "134744072", "0x8.8.8.8",
                           "[2606:4700::1111]", "localhost.example", "127.org"})
    EXPECT_TRUE(guard.may_name(host)) << host;

  config::source_settings settings;
  settings.allow = {"127.0.0.1"};
  EXPECT_TRUE(address_guard{settings}.may_name("localhost"));
  EXPECT_TRUE(address_guard{settings}.may_name("0x7f.1"));
}

TEST(AddressGuard, ChecksBlocksBeforeTheyAreUsed) {
  for (const auto* text : {"10.0.0.0/8", "::/0", "1.2.3.4", "fe80::/10"})
    EXPECT_TRUE(check_cidr(text)) << text;
  for (const auto* text : {"", "/", "10.0.0.0/33", "::/129", "10.0.0.0/",
                           "10.0.0.0/8x", "10.0.0/8", "host/8", "1.2.3.4/-1"})
    EXPECT_EQ(check_cidr(text).error().code, errc::bad_params) << text;
}

TEST(ProxyTarget, IsReadStrictly) {
  const auto read = parse_absolute_target("HTTP://Host.Example:8080?a=b#c");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->authority(), "host.example:8080");
  EXPECT_EQ(read->path, "/?a=b");
  EXPECT_EQ(parse_absolute_target("http://[::1]/x")->authority(), "[::1]");
  EXPECT_EQ(parse_connect_target("[2001:db8::1]:443")->host, "2001:db8::1");

  for (const auto* text :
       {"/path", "https://a/", "ftp://a/", "http://", "http:///x",
        "http://u:p@h/", "http://h:0/", "http://h:99999/", "http://h:8x/",
        "http://[::1/", "http://[::1]x/", "http://a b/", "*"})
    EXPECT_FALSE(parse_absolute_target(text)) << text;
  for (const auto* text : {"host", "host:", ":443", "host:0", "host:65536",
                           "http://host:80", "a@host:443"})
    EXPECT_FALSE(parse_connect_target(text)) << text;
}

TEST(ProxyTarget, ReadsRetryAfterInAllItsForms) {
  constexpr std::int64_t now = 784111700; // 77 s before the dates below
  EXPECT_EQ(parse_retry_after("120", now), 120);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), 77);
  EXPECT_EQ(parse_retry_after("Sunday, 06-Nov-94 08:49:37 GMT", now), 77);
  EXPECT_EQ(parse_retry_after("Sun Nov  6 08:49:37 1994", now), 77);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now + 100), 0);
  EXPECT_EQ(parse_retry_after("-5", now), 0);
  EXPECT_EQ(parse_retry_after("9223372036854775807", now), 86400);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 2094 08:49:37 GMT", now), 86400);
  EXPECT_EQ(parse_retry_after("soon", now), 0);
  EXPECT_EQ(parse_retry_after("", now), 0);
}

TEST(ProxyTarget, FindsTheUserOfBasicCredentials) {
  EXPECT_EQ(basic_user("Basic dG9rZW46eA=="), "token");
  EXPECT_EQ(basic_user("basic  dG9rZW46eA"), "token");
  EXPECT_EQ(basic_user("Bearer dG9rZW46eA=="), "");
  EXPECT_EQ(basic_user(""), "");
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "abcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char byte : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(byte);
    for (count += 8; count >= 6; count -= 6)
      text += digits[bits >> (count - 6) & 63];
  }
  if (count > 0)
    text += digits[bits << (6 - count) & 63];
  return text;
}

std::string answer(const std::string& status, const std::string& fields,
                   const std::string& body) {
  return "HTTP/1.1 " + status + "\r\n" + fields
         + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// Answers each request of a connection with what it was asked.
void echo_heads(peer& client) {
  for (;;) {
    const auto head = client.read_through("\r\n\r\n");
    if (head.empty() || !client.send(answer("200 OK", "", head)))
      return;
  }
}

void echo_bytes(peer& client) {
  for (;;) {
    const auto byte = client.read_exactly(1);
    if (byte.empty())
      break;
    client.send(byte);
  }
  client.send("end");
}

origin::serve sending(std::size_t size) {
  return [size](peer& client) {
    client.read_through("\r\n\r\n");
    client.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size)
                + "\r\n\r\n");
    const std::string block(64u << 10, 'x');
    for (std::size_t sent = 0; sent < size; sent += block.size())
      if (!client.send(std::string_view{block}.substr(
            0, std::min(block.size(), size - sent))))
        return;
  };
}

/// Names and what they resolve to, one answer after the other; the last stays.
class name_server {
public:
  void set(const std::string& host, std::vector<std::string> answers) {
    const std::lock_guard guarded{mutex_};
    names_[host] = {answers.begin(), answers.end()};
  }
  resolve_function function() {
    return [this](const std::string& host) {
      return resolve(host);
    };
  }
  std::atomic<int> asked{0};

private:
  result<std::vector<ip::address>> resolve(const std::string& host) {
    ++asked;
    const std::lock_guard guarded{mutex_};
    auto& answers = names_[host];
    if (answers.empty())
      return fail(errc::source_unavailable, host + ": unknown");
    std::vector<ip::address> found;
    std::istringstream words{answers.front()};
    for (std::string word; words >> word;)
      found.push_back(ip::make_address(word));
    if (answers.size() > 1)
      answers.pop_front();
    return found;
  }

  std::mutex mutex_;
  std::map<std::string, std::deque<std::string>> names_;
};

/// A proxy that lets in 127.0.0.2 alone.
class egress : public testing::Test {
protected:
  explicit egress(egress_options options = {}) {
    options.resolve = names_.function();
    config::source_settings settings;
    settings.allow = {"127.0.0.2/32"};
    proxy_ = std::make_unique<egress_proxy>(threads_, address_guard{settings},
                                            std::move(options));
    EXPECT_TRUE(proxy_->start());
    account_ = proxy_->open({});
  }

  void limit(egress_policy policy) {
    account_ = proxy_->open(policy);
  }

  [[nodiscard]] peer connect() const {
    return {"127.0.0.1", proxy_->port()};
  }
  /// The field that says whose request it is.
  [[nodiscard]] std::string credentials() const {
    const auto url = account_->url();
    const auto user = url.substr(7, url.find('@') - 7);
    return "Proxy-Authorization: Basic " + base64(user) + "\r\n";
  }
  [[nodiscard]] std::string get(const std::string& url,
                                const std::string& fields = "") const {
    return "GET " + url + " HTTP/1.1\r\nHost: x\r\n" + credentials() + fields
           + "\r\n";
  }
  [[nodiscard]] std::string tunnel_to(const std::string& authority) const {
    return "CONNECT " + authority + " HTTP/1.1\r\n" + credentials() + "\r\n";
  }
  static std::string url_of(const origin& server, const std::string& path = "/",
                            const std::string& host = "127.0.0.2") {
    return "http://" + host + ":" + std::to_string(server.port) + path;
  }

  /// One request on a connection of its own.
  std::pair<std::string, std::string> fetch(const std::string& url) {
    auto client = connect();
    client.send(get(url));
    return client.read_response();
  }

  template <class Condition>
  static bool eventually(Condition&& holds) {
    const auto deadline = steady::now() + 10s;
    while (steady::now() < deadline) {
      if (holds())
        return true;
      std::this_thread::yield();
    }
    return false;
  }

  name_server names_;
  runtime threads_;
  std::unique_ptr<egress_proxy> proxy_;
  std::unique_ptr<egress_account> account_;
};

constexpr auto established = "HTTP/1.1 200 Connection established\r\n\r\n";

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
  EXPECT_THAT(account_->report().refused_detail, HasSubstr("127.0.0.3"));
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
  EXPECT_EQ(account_->report().refused_detail, "source.test (127.0.0.3)");
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
  EXPECT_THAT(fetch("http://127.0.0.2:" + std::to_string(closed) + "/").first,
              StartsWith("HTTP/1.1 502 "));
  EXPECT_THAT(account_->report().last_failure, HasSubstr("refused"));
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

TEST_F(egress, ClosingAnAccountCutsItsConnections) {
  origin server{"127.0.0.2", echo_bytes};
  auto client = connect();
  client.send(tunnel_to("127.0.0.2:" + std::to_string(server.port)));
  ASSERT_EQ(client.read_through("\r\n\r\n"), established);

  account_.reset();

  EXPECT_EQ(client.read_all(), "");
}

TEST_F(egress, DestroyingTheProxyCutsEverything) {
  origin server{"127.0.0.2", echo_bytes};
  auto client = connect();
  client.send(tunnel_to("127.0.0.2:" + std::to_string(server.port)));
  ASSERT_EQ(client.read_through("\r\n\r\n"), established);

  proxy_.reset();

  EXPECT_EQ(client.read_all(), "");
  EXPECT_EQ(account_->report().received, 0u);
}

TEST_F(egress, HoldsNoMoreThanItsBuffersForASlowClient) {
  constexpr std::size_t size = 256u << 20;
  origin server{"127.0.0.2", sending(size)};
  auto client = connect();
  client.send(get(url_of(server)));
  ASSERT_THAT(client.read_through("\r\n\r\n"), StartsWith("HTTP/1.1 200 "));

  std::uint64_t before = 0;
  auto since = steady::now();
  ASSERT_TRUE(eventually([&] {
    const auto now = account_->report().received;
    if (std::exchange(before, now) != now)
      since = steady::now();
    return steady::now() - since > 300ms;
  }));

  // What the kernel's socket buffers hold, and not the file.
  EXPECT_LT(account_->report().received, 32u << 20);
}

TEST_F(egress, ServesTwoHundredConnectionsAtOnce) {
  constexpr std::size_t size = 256u << 10;
  constexpr int clients = 200;
  origin server{"127.0.0.2", sending(size)};
  names_.set("many.test", {"127.0.0.2"});
  const auto url = url_of(server, "/", "many.test");

  std::vector<peer> open;
  for (int client = 0; client < clients; ++client) {
    open.push_back(connect());
    open.back().send(get(url));
  }
  for (auto& client : open)
    EXPECT_EQ(client.read_response().second.size(), size);

  EXPECT_GE(proxy_->received(), std::uint64_t{clients} * size);
}

TEST_F(egress, IsMeasuredAgainstADirectConnection) {
  constexpr std::size_t size = 512u << 20;
  origin server{"127.0.0.2", sending(size)};
  const auto measure = [&](peer client, const std::string& request) {
    const auto begun = steady::now();
    client.send(request);
    const auto got = client.count_all();
    EXPECT_GE(got, size);
    const std::chrono::duration<double> took = steady::now() - begun;
    return static_cast<double>(got) / took.count() / 1e6;
  };

  const auto direct =
    measure(peer{"127.0.0.2", server.port}, "GET / HTTP/1.1\r\n\r\n");
  const auto plain =
    measure(connect(), get(url_of(server), "Connection: close\r\n"));
  auto tunnel = connect();
  tunnel.send(tunnel_to("127.0.0.2:" + std::to_string(server.port)));
  tunnel.read_through("\r\n\r\n");
  const auto tunnelled = measure(std::move(tunnel), "GET / HTTP/1.1\r\n\r\n");

  std::printf("direct %.0f MB/s, forwarded %.0f MB/s, tunnelled %.0f MB/s\n",
              direct, plain, tunnelled);
  EXPECT_GT(plain, 20);
  EXPECT_GT(tunnelled, 20);
}

class impatient_egress : public egress {
protected:
  impatient_egress() : egress(options()) {}

  static egress_options options() {
    egress_options short_ones;
    short_ones.header_timeout = 200ms;
    short_ones.idle_timeout = 300ms;
    short_ones.resolve_timeout = 200ms;
    return short_ones;
  }
};

TEST_F(impatient_egress, HangsUpOnASlowHeader) {
  auto client = connect();
  const auto begun = steady::now();
  client.send("GET http://a/ HTTP/1.1\r\nX-Slow:");

  EXPECT_EQ(client.read_all(), "");
  EXPECT_GE(steady::now() - begun, 150ms);
  EXPECT_LT(steady::now() - begun, 5s);
}

TEST_F(impatient_egress, HangsUpOnAnIdleTunnel) {
  origin server{"127.0.0.2", echo_bytes};
  auto client = connect();
  client.send(tunnel_to("127.0.0.2:" + std::to_string(server.port)));
  ASSERT_EQ(client.read_through("\r\n\r\n"), established);
  client.send("x");
  EXPECT_EQ(client.read_exactly(1), "x");

  EXPECT_EQ(client.read_all(), "");
}

TEST(EgressNames, AHangingResolverHoldsUpNobodyElse) {
  std::promise<void> release;
  const auto released = release.get_future().share();
  runtime threads;
  config::source_settings settings;
  settings.allow = {"127.0.0.2"};
  egress_options options;
  options.resolve_timeout = 300ms;
  options.resolve =
    [released](const std::string& host) -> result<std::vector<ip::address>> {
    if (host == "hangs.test")
      released.wait();
    return std::vector{ip::make_address("127.0.0.2")};
  };
  auto proxy =
    std::make_unique<egress_proxy>(threads, address_guard{settings}, options);
  ASSERT_TRUE(proxy->start());
  const auto account = proxy->open({});
  origin server{"127.0.0.2", echo_heads};
  const auto url = account->url();
  const auto request = [&](const std::string& host) {
    return "GET http://" + host + ":" + std::to_string(server.port)
           + "/ HTTP/1.1\r\nProxy-Authorization: Basic "
           + base64(url.substr(7, url.find('@') - 7)) + "\r\n\r\n";
  };

  peer slow{"127.0.0.1", proxy->port()};
  slow.send(request("hangs.test"));
  peer quick{"127.0.0.1", proxy->port()};
  quick.send(request("quick.test"));

  EXPECT_THAT(quick.read_response().first, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(slow.read_response().first, StartsWith("HTTP/1.1 502 "));
  proxy.reset();
  release.set_value();
}

} // namespace

} // namespace troupe::media
