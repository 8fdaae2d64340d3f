#include "media/imaging/source_name.hpp"

#include "media/cache/cache_key.hpp"

#include <gmock/gmock.h>

namespace troupe::media {
namespace {

struct spelling {
  const char* source;
  const char* plain;
};

class SourceNames : public testing::TestWithParam<spelling> {};

TEST_P(SourceNames, HaveOneSpelling) {
  const auto& [source, plain] = GetParam();

  EXPECT_EQ(plain_source(source), plain);
  EXPECT_EQ(plain_source(plain), plain);
  EXPECT_EQ(source_mark(source), mark_of(plain));
}

INSTANTIATE_TEST_SUITE_P(
  Of, SourceNames,
  testing::Values(
    spelling{"local:///b.jpg", "local:///b.jpg"},
    spelling{"local:///a/../b.jpg", "local:///b.jpg"},
    spelling{"local:///../../b.jpg", "local:///b.jpg"},
    spelling{"local:////a//./b.jpg", "local:///a/b.jpg"},
    spelling{"local:///%62.jpg", "local:///b.jpg"},
    spelling{"local:///a%2f%2E%2E%2Fb.jpg", "local:///b.jpg"},
    spelling{"local:///a b+c.jpg", "local:///a%20b%2Bc.jpg"},
    spelling{"local:///%2541.jpg", "local:///%2541.jpg"},
    spelling{"local:///50%.jpg", "local:///50%.jpg"},
    spelling{"local:///%c3%bc.jpg", "local:///%C3%BC.jpg"},
    spelling{"local:///A.jpg", "local:///A.jpg"},
    spelling{"HTTP://Host.Example/A.jpg", "http://host.example/A.jpg"},
    spelling{"http://h:80/a.jpg#top", "http://h/a.jpg"},
    spelling{"https://h:443/a.jpg", "https://h/a.jpg"},
    spelling{"https://h:80/a.jpg", "https://h:80/a.jpg"},
    spelling{"http://h", "http://h/"},
    spelling{"http://h/x/../a%2d%7eb.jpg?q=%2f%41", "http://h/a-~b.jpg?q=/A"},
    spelling{"http://h/a b", "http://h/a b"},
    spelling{"job:01ABC", "job:01ABC"}, spelling{"upload", "upload"},
    spelling{"", ""}));

TEST(SourceName, OfDifferentSourcesDiffer) {
  EXPECT_NE(plain_source("local:///a.jpg"), plain_source("local:///A.jpg"));
  EXPECT_NE(plain_source("http://h/a?x=1"), plain_source("http://h/a?x=2"));
  EXPECT_NE(plain_source("http://h/a"), plain_source("https://h/a"));
  EXPECT_NE(plain_source("local:///%2541"), plain_source("local:///%41"));
}

} // namespace
} // namespace troupe::media
