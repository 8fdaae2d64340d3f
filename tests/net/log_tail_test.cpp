#include "net/log_tail.hpp"

#include "actors/store/job_log.hpp"
#include "actors/store/transitions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

namespace troupe::net {

using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

std::vector<std::string> lines_of(std::string_view text) {
  std::istringstream in{std::string{text}};
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);)
    out.push_back(line);
  return out;
}

/// A job that is paused and resumed, and one who follows its log.
struct followed_log : testing::Test {
  void note(int times) {
    for (int i = 0; i < times; ++i)
      if (noted++ % 2 == 0)
        store::pause(it, 1'700'000'000'000 + noted);
      else
        store::resume(it, 1'700'000'000'000 + noted);
  }

  std::vector<std::string> news() {
    return lines_of(tail.news_in(store::shown_log(it, "")));
  }

  store::job it = [] {
    store::job made;
    made.state = store::job_state::queued;
    made.created_at = 1'700'000'000'000;
    return made;
  }();
  int noted = 0;
  log_tail tail;
};

} // namespace

TEST_F(followed_log, TellsEachLineOnceThoughMoreCameThanAreKept) {
  std::vector<std::string> told = news();
  EXPECT_EQ(told.size(), 1u);

  for (const auto fresh : {0, 1, 40, 5, 30, 2, 62, 1}) {
    note(fresh);
    const auto now = news();
    EXPECT_EQ(now.size(), static_cast<std::size_t>(fresh));
    told.insert(told.end(), now.begin(), now.end());
  }

  EXPECT_EQ(std::set<std::string>(told.begin(), told.end()).size(),
            told.size());
  EXPECT_EQ(told.size(), 1u + static_cast<std::size_t>(noted));
}

TEST_F(followed_log, SaysHowManyWereLeftOutThatNobodyHasSeen) {
  note(10);
  EXPECT_EQ(news().size(), 11u);

  note(100);
  const auto burst = news();
  note(1);
  const auto after = news();

  ASSERT_EQ(burst.size(), store::max_notes);
  EXPECT_THAT(burst.front(), HasSubstr("47 lines are left out"));
  ASSERT_EQ(after.size(), 1u);
  EXPECT_THAT(after, Each(HasSubstr("paused")));
  EXPECT_THAT(news(), IsEmpty());
}

TEST_F(followed_log, GoesOnWhereALargeLogHasLostItsBeginning) {
  EXPECT_EQ(tail.news_in("a\nb\nc\n"), "a\nb\nc\n");
  EXPECT_EQ(tail.news_in("b\nc\nd\n"), "d\n");
  EXPECT_EQ(tail.news_in("d\nd\ne\n"), "d\ne\n");
  EXPECT_EQ(tail.news_in("x\ny\n"), "x\ny\n");
  EXPECT_EQ(tail.news_in(""), "");
}

} // namespace troupe::net
