#include "net/cli/client.hpp"
#include "net/cli/params.hpp"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::cli {
namespace {

namespace json = boost::json;

const auto& schema() {
  static const auto value = json::parse(R"({"type":"object","properties":{
    "url":{"type":"string"},
    "count":{"type":"integer"},
    "rate":{"type":["number","null"]},
    "fast":{"type":"boolean"},
    "langs":{"type":"array","items":{"type":"string"}},
    "sizes":{"type":"array","items":{"type":"integer"}},
    "either":{"anyOf":[{"type":"integer"},{"type":"string"}]},
    "mode":{"enum":["1","2"]},
    "payload":{}}})");
  return value;
}

std::string made(std::vector<std::string> written) {
  auto params = make_params(written, schema());
  return params ? json::serialize(*params) : "! " + params.error().detail;
}

TEST(MakeParams, TypesEachValueByTheSchema) {
  EXPECT_EQ(made({"count=3", "rate=1.5", "fast=true"}),
            R"({"count":3,"rate":1.5E0,"fast":true})");
  EXPECT_EQ(made({"langs=de,en", "sizes=1,2"}),
            R"({"langs":["de","en"],"sizes":[1,2]})");
  EXPECT_EQ(made({"langs=de"}), R"({"langs":["de"]})");
  EXPECT_EQ(made({"langs="}), R"({"langs":[]})");
  EXPECT_EQ(made({"either=5"}), R"({"either":5})");
  EXPECT_EQ(made({"payload={\"a\":1}"}), R"({"payload":{"a":1}})");
}

TEST(MakeParams, KeepsTextsTextWhateverTheyLookLike) {
  EXPECT_EQ(made({"url=17"}), R"({"url":"17"})");
  EXPECT_EQ(made({"mode=1"}), R"({"mode":"1"})");
  EXPECT_EQ(made({"url=https://x/?a=b,c"}), R"({"url":"https://x/?a=b,c"})");
  EXPECT_EQ(made({"unknown=1"}), R"({"unknown":"1"})");
}

TEST(MakeParams, PassesOnWhatIsNotOfItsType) {
  EXPECT_EQ(made({"count=many"}), R"({"count":"many"})");
  EXPECT_EQ(made({"fast=1"}), R"({"fast":"1"})");
}

TEST(MakeParams, TakesJsonAsItIs) {
  EXPECT_EQ(made({"url:=null", "langs:=[\"a,b\"]"}),
            R"({"url":null,"langs":["a,b"]})");
  EXPECT_EQ(made({"count:=nonsense"}).substr(0, 2), "! ");
}

TEST(MakeParams, RefusesWhatIsNotWrittenSo) {
  EXPECT_EQ(made({"https://x/watch?v=1"}).substr(0, 2), "! ");
  EXPECT_EQ(made({"url"}).substr(0, 2), "! ");
  EXPECT_EQ(made({"=1"}).substr(0, 2), "! ");
}

TEST(ParseServer, ReadsHostAndPort) {
  auto v4 = parse_server("http://127.0.0.1:81/");
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->authority(), "127.0.0.1:81");
  auto v6 = parse_server("http://[::1]:81");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->host, "::1");
  EXPECT_EQ(v6->authority(), "[::1]:81");
  EXPECT_EQ(parse_server("http://box")->port, "80");
}

TEST(ParseServer, RefusesOtherForms) {
  for (const auto* url :
       {"", "127.0.0.1:80", "https://x", "http://", "http://x:", "http://x:y",
        "http://x/y", "http://[::1", "http://u@x"})
    EXPECT_FALSE(parse_server(url)) << url;
}

} // namespace
} // namespace troupe::cli
