#include "config/log.hpp"
#include "config/utf8.hpp"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

/// What `act` writes to stderr.
template <class Act>
std::string written(const config::log_settings& settings, Act act) {
  ::testing::internal::CaptureStderr();
  log::start(settings);
  act();
  return ::testing::internal::GetCapturedStderr();
}

TEST(Log, WritesOneLineOfTextWithItsFields) {
  auto line = written({"info", "text"}, [] {
    log::info("Job done", {{"job", "01J"}, {"path", "a b\n\"c\""}});
    log::debug("Not shown");
  });

  EXPECT_THAT(line, EndsWith(" info Job done job=01J "
                             "path=\"a b\\n\\\"c\\\"\"\n"));
}

TEST(Log, WritesJsonThatAReaderTakesWhateverTheFieldsHold) {
  const std::string bad = "x\xff\"\n\x01 \xc3\xa4";

  auto line = written({"warn", "json"}, [&] {
    log::warn("A \"quote\"", {{"error", bad}});
  });

  auto read = boost::json::parse(line).as_object();
  EXPECT_EQ(read["level"].as_string(), "warning");
  EXPECT_EQ(read["message"].as_string(), "A \"quote\"");
  EXPECT_EQ(read["error"].as_string(), "x\xef\xbf\xbd\"\n\x01 \xc3\xa4");
  EXPECT_TRUE(read.contains("time"));
}

TEST(Log, SaysWhetherDebugIsOn) {
  log::start({"debug", "text"});
  EXPECT_TRUE(log::debugs());
  log::start({"info", "text"});
  EXPECT_FALSE(log::debugs());
}

TEST(ValidUtf8, ReplacesWhatIsNotWellFormed) {
  const std::string bad = "\xef\xbf\xbd";
  EXPECT_EQ(config::valid_utf8("a\xe2\x82\xac\xf0\x9f\x98\x80"),
            "a\xe2\x82\xac\xf0\x9f\x98\x80");
  EXPECT_EQ(config::valid_utf8("\xc0\x80"), bad + bad);
  EXPECT_EQ(config::valid_utf8("\xed\xa0\x80"), bad + bad + bad);
  EXPECT_EQ(config::valid_utf8("\xf4\x90\x80\x80"), bad + bad + bad + bad);
  EXPECT_EQ(config::valid_utf8("\xe2\x82"), bad + bad);
}

} // namespace
} // namespace troupe
