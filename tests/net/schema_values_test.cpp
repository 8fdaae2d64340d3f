#include "net/schema_values.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <gtest/gtest.h>

namespace troupe::net {

namespace {

namespace bj = boost::json;

/// What valijson sees of `text` under this schema.
std::string seen(const std::string& schema, const std::string& text) {
  const auto document = bj::parse(schema);
  simdjson::dom::parser parser;
  return bj::serialize(
    value_for(document.if_object(), parser.parse(text).value(), {}));
}

std::string many(std::size_t count, const std::string& item) {
  std::string out = "[" + item;
  for (std::size_t i = 1; i < count; ++i)
    out += "," + item;
  return out + "]";
}

} // namespace

TEST(schema_values, AreAllOfWhatIsTaken) {
  EXPECT_EQ(seen(R"({"type":"object","properties":{
                     "a":{"type":"array","maxItems":2,"items":{"type":"string"}},
                     "b":{"type":"integer"},"c":{"type":["object","null"]}}})",
                 R"({"a":["x","y"],"b":5.0,"c":null})"),
            R"({"a":["x","y"],"b":5,"c":null})");
}

TEST(schema_values, AreOneItemMoreThanAListMayHave) {
  EXPECT_EQ(seen(R"({"type":"array","maxItems":2,"items":{"type":"integer"}})",
                 many(100'000, "7")),
            "[7,7,7]");
}

TEST(schema_values, AreOfTheirKindAloneWhereItIsNotTaken) {
  EXPECT_EQ(seen(R"({"type":"string"})", many(9, "[]")), "[]");
  EXPECT_EQ(seen(R"({"type":["integer","null"]})", R"({"a":1})"), "{}");
  EXPECT_EQ(seen(R"({"type":"array","items":{"type":"string"}})",
                 R"([[1,2],{"a":3},"x"])"),
            R"([[],{},"x"])");
}

TEST(schema_values, AreNothingWhereAnythingIsTaken) {
  EXPECT_EQ(seen(R"({"description":"Any."})", many(9, "[1]")), "null");
  EXPECT_EQ(seen(R"({"type":"object"})", R"({"a":[1,2]})"), R"({"a":null})");
}

TEST(schema_values, AreNotEveryUnknownMember) {
  std::string members = "\"m0\":0";
  for (int i = 1; i < 20'000; ++i)
    members += ",\"m" + std::to_string(i) + "\":0";
  const auto out =
    seen(R"({"type":"object","properties":{}})", "{" + members + "}");

  EXPECT_EQ(bj::parse(out).as_object().size(), 10'000u);
}

TEST(schema_values, FollowTheSchemaOfOtherMembers) {
  EXPECT_EQ(
    seen(R"({"type":"object","additionalProperties":{"type":"string"}})",
         R"({"a":"x","b":[1]})"),
    R"({"a":"x","b":[]})");
}

} // namespace troupe::net
