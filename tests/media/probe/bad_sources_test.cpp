#include "media/probe/bad_sources.hpp"

#include <gtest/gtest.h>

namespace troupe::media {

using namespace std::chrono_literals;

TEST(BadSources, AreRefusedAfterTheSecondCrashForAWhile) {
  bad_sources bad{60s};
  const auto now = bad_sources::clock::now();

  EXPECT_FALSE(bad.crashed("film", now));
  EXPECT_EQ(bad.refused("film", now), 0);
  EXPECT_TRUE(bad.crashed("film", now + 1s));

  EXPECT_EQ(bad.refused("film", now + 2s), 59);
  EXPECT_EQ(bad.refused("other", now + 2s), 0);
  EXPECT_EQ(bad.refused("film", now + 61s), 0);
}

TEST(BadSources, AreThoseAloneThatCrashed) {
  bad_sources bad{600s};
  for (const auto end : {errc::sandbox, errc::memory, errc::timeout}) {
    EXPECT_FALSE(bad.note("a", end));
    EXPECT_FALSE(bad.note("a", end));
  }
  EXPECT_FALSE(bad.note("a", errc::crashed));
  EXPECT_FALSE(bad.note("a", errc::invalid_media)) << "it was read whole";
  EXPECT_FALSE(bad.note("a", errc::crashed));
  EXPECT_TRUE(bad.note("a", errc::crashed));
}

TEST(BadSources, AreForgottenWhenTheyAreRead) {
  bad_sources bad{60s};

  bad.crashed("film");
  bad.read("film");

  EXPECT_FALSE(bad.crashed("film"));
}

TEST(BadSources, HaveASecondCrashWithinAnHour) {
  bad_sources bad{60s};
  const auto now = bad_sources::clock::now();

  bad.crashed("film", now);

  EXPECT_FALSE(bad.crashed("film", now + 61min));
}

TEST(BadSources, OfARefusalThatIsOverStartAnew) {
  bad_sources bad{60s};
  const auto now = bad_sources::clock::now();
  bad.crashed("film", now);
  bad.crashed("film", now);

  EXPECT_FALSE(bad.crashed("film", now + 61s));
}

} // namespace troupe::media
