#include "media/egress/address_guard.hpp"
#include "media/egress/target.hpp"

#include <boost/asio/ip/address.hpp>
#include <gmock/gmock.h>

#include <array>
#include <chrono>

namespace troupe::media {

namespace {

namespace ip = boost::asio::ip;
using namespace std::chrono_literals;

bool allows(const address_guard& guard, const std::string& text) {
  return guard.allows(ip::make_address(text));
}

constexpr std::array special_addresses{"0.0.0.0",
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
                                       "4000::1"};

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

  for (const auto* address : special_addresses)
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
} // namespace

} // namespace troupe::media
