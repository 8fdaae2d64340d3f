#include "media/plain_json.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <limits>

namespace troupe::media {

namespace {

std::string plain(double value) {
  std::string out;
  append_plain(out, value);
  return out;
}

} // namespace

TEST(PlainJson, WritesNumbersAsPeopleRead) {
  EXPECT_EQ(plain(25), "25");
  EXPECT_EQ(plain(29.97), "29.97");
  EXPECT_EQ(plain(30000.0 / 1001), "29.97002997002997");
  EXPECT_EQ(plain(-0.5), "-0.5");
  EXPECT_EQ(plain(0), "0");
  EXPECT_EQ(plain(5'200'000), "5200000");
  EXPECT_EQ(plain(1e15), "1000000000000000");
  EXPECT_EQ(plain(0.000001), "0.000001");
  EXPECT_EQ(plain(1e300), "1e+300");
  EXPECT_EQ(plain(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(plain(std::numeric_limits<double>::quiet_NaN()), "null");
}

TEST(PlainJson, WritesAllElseAsItWasRead) {
  for (const auto* text :
       {R"({"fps":29.97,"of":[1,-2,18446744073709551615,true,null,{}],"a":{}})",
        R"({"a\n\"b":"\u0001é","list":[[],[[25,0.5]]],"empty":""})", "[]", "{}",
        R"("text")", "null", "7"})
    EXPECT_EQ(plain_json(boost::json::parse(text)), text);
  EXPECT_EQ(plain_json(boost::json::parse(R"({"fps": 2.5E1})")),
            R"({"fps":25})");
  EXPECT_EQ(plain_json(boost::json::object{{"fps", 25.0}}), R"({"fps":25})");
}

} // namespace troupe::media
