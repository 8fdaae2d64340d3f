#include "config/credentials.hpp"
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

TEST(Log, HidesCredentialsOfUrls) {
  auto line = written({"info", "text"}, [] {
    log::info("Read", {{"source", "http://ann:secret@e.org/a"}});
  });

  EXPECT_THAT(line, EndsWith(" info Read source=http://***@e.org/a\n"));
}

TEST(Credentials, AreHiddenInEveryUrlOfAText) {
  using config::hide_credentials;

  EXPECT_EQ(hide_credentials("a http://u:p@x.org/ b https://u@y.org"),
            "a http://***@x.org/ b https://***@y.org");
  EXPECT_EQ(hide_credentials(R"({"a":"redis://:p@h","b":"c@d"})"),
            R"({"a":"redis://***@h","b":"c@d"})");
  EXPECT_EQ(hide_credentials("http://u:p@ss@x.org?c=d@e"),
            "http://***@x.org?c=d@e");
}

TEST(Credentials, LeaveWhatHoldsNone) {
  for (const std::string text :
       {"", "://", "a@b.org", "http://x.org/a@b", "local:///a@b.mp4",
        "http://x.org?q=@", "http://x.org u@v"})
    EXPECT_EQ(config::hide_credentials(text), text);
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
