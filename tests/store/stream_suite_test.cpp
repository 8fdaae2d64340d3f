#include "tests/store/store_suite.hpp"

/// Records of stream sessions.
namespace troupe::store::testing {
namespace {

class StreamSuite : public StoreSuite {
protected:
  static stream_record made(const std::string& id, timestamp_ms expires_at) {
    return {id, "anna", R"({"source":"local:///a.mkv"})", 1, expires_at};
  }

  std::vector<std::string> ids() {
    std::vector<std::string> out;
    const auto all = store().streams({}).value();
    for (const auto& it : all)
      out.push_back(it.id);
    return out;
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, StreamSuite,
                         ::testing::ValuesIn(store_kinds()),
                         ::testing::PrintToStringParamName());

TEST_P(StreamSuite, KeepsTheNewestRecordOfAStream) {
  const auto now = sweep().now;
  ASSERT_TRUE(store().put_stream(made("b", now + second)));
  ASSERT_TRUE(store().put_stream(made("a", now + second)));
  ASSERT_TRUE(store().put_stream(made("b", now + 9 * second)));

  EXPECT_EQ(ids(), (std::vector<std::string>{"a", "b"}));
  const auto read = store().get_stream("b").value();
  EXPECT_EQ(read.owner, "anna");
  EXPECT_EQ(read.wish, R"({"source":"local:///a.mkv"})");
  EXPECT_EQ(read.expires_at, now + 9 * second);
}

TEST_P(StreamSuite, ForgetsWhatIsDropped) {
  ASSERT_TRUE(store().put_stream(made("a", sweep().now + second)));
  ASSERT_TRUE(store().drop_stream("a"));

  EXPECT_TRUE(ids().empty());
  EXPECT_EQ(store().get_stream("a").error().code, errc::not_found);
  EXPECT_EQ(store().drop_stream("a").error().code, errc::not_found);
}

TEST_P(StreamSuite, ForgetsWhatHasExpired) {
  const auto now = sweep().now;
  ASSERT_TRUE(store().put_stream(made("a", now + 5 * second)));
  ASSERT_TRUE(store().put_stream(made("b", now + 500 * second)));
  follow();
  EXPECT_EQ(ids().size(), 2u);

  advance(10 * second);
  follow();

  EXPECT_EQ(ids(), std::vector<std::string>{"b"});
}

} // namespace
} // namespace troupe::store::testing
