#include "tests/actors/crew_fixture.hpp"

#include <gmock/gmock.h>

namespace troupe::actors {
namespace {

using ::testing::ElementsAre;

TEST_F(CrewTest, MakesWhatAHundredAskForOnce) {
  start();
  for (int i = 0; i < 100; ++i)
    ask("a", "one");
  ASSERT_EQ(images.tasks.size(), 1u);
  finish(0);

  ASSERT_EQ(heard.size(), 100u);
  for (std::size_t i = 0; i < heard.size(); ++i) {
    ASSERT_TRUE(heard[i].second);
    EXPECT_EQ(heard[i].second->coalesced, i > 0);
    EXPECT_EQ(heard[i].second->image->bytes, "image one");
  }
  EXPECT_EQ(figures().tasks, 1u);
  EXPECT_EQ(figures().coalesced, 99u);
}

TEST_F(CrewTest, AnswersFromMemoryWhatWasMadeMeanwhile) {
  start();
  ask("a", "one");
  finish(0);
  ask("a", "one");

  EXPECT_EQ(heard.size(), 2u);
  EXPECT_EQ(images.tasks.size(), 1u);
}

TEST_F(CrewTest, MakesWhatWaitsOfOneSourceByOneTask) {
  start();
  ask("other", "first");
  ask("a", "one");
  ask("b", "two");
  ask("a", "three");
  ask("a", "slow", true, 10s, media::image_format::avif);
  finish(0);

  ASSERT_EQ(images.tasks.size(), 2u);
  EXPECT_THAT(images.tasks[1].outputs, ElementsAre("one", "three"));
  finish(1);
  EXPECT_THAT(words(), ElementsAre("first", "one", "three"));
  EXPECT_THAT(images.tasks[2].outputs, ElementsAre("two"));
  finish(2);
  EXPECT_THAT(images.tasks[3].outputs, ElementsAre("slow"));
}

TEST_F(CrewTest, TakesWhatIsDueFirst) {
  start();
  ask("x", "first");
  ask("a", "late", true, 9s);
  ask("b", "soon", true, 5s);
  finish(0);

  EXPECT_THAT(images.tasks[1].outputs, ElementsAre("soon"));
}

TEST_F(CrewTest, KeepsPagesAndBatchesApart) {
  start();
  for (int i = 0; i < 5; ++i)
    ask("batch " + std::to_string(i), "b" + std::to_string(i), false);
  ask("page", "p");

  ASSERT_EQ(images.tasks.size(), 2u);
  EXPECT_TRUE(images.tasks[0].batch);
  EXPECT_FALSE(images.tasks[1].batch);
}

TEST_F(CrewTest, HurriesWhatAPageWaitsFor) {
  start();
  ask("x", "first", false);
  ask("a", "one", false);
  ASSERT_EQ(images.tasks.size(), 1u);

  ask("a", "one", true);

  ASSERT_EQ(images.tasks.size(), 2u);
  EXPECT_FALSE(images.tasks[1].batch);
  finish(1);
  EXPECT_THAT(words(), ElementsAre("one", "one"));
}

TEST_F(CrewTest, RefusesWhenTooManyWait) {
  options.most_waiting = 2;
  start();
  for (int i = 0; i < 4; ++i)
    ask(std::to_string(i), std::to_string(i));

  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].first, "3");
  ASSERT_FALSE(heard[0].second);
  EXPECT_EQ(heard[0].second.error().code.category(), overload_category());
  EXPECT_EQ(figures().refused, 1u);
}

TEST_F(CrewTest, RefusesAtOnceWhatWouldWaitBeyondItsDeadline) {
  start();
  ask_photo("running", 90, true, 10s);
  ask_photo("in time", 1, false, 5s);
  ask_photo("too late", 1, false, 500ms);

  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].first, "too late");
  EXPECT_EQ(heard[0].second.error().code.category(), overload_category());
}

TEST_F(CrewTest, ExpectsLessOfWhatIsQuickToRead) {
  start();
  ask_photo("running", 90, false, 10s);
  ask_photo("next", 1, false, 500ms);

  EXPECT_TRUE(heard.empty());
  EXPECT_EQ(figures().page.waiting, 1u);
}

TEST_F(CrewTest, NotesTheTagsOfAllWhoAsked) {
  start();
  ask("a", "one");
  auto tagged = work_of("a", "one");
  tagged->tags = {7};
  ask_for(std::move(tagged), "one", 10s);
  finish(0);

  EXPECT_EQ(heard.size(), 2u);
  EXPECT_THAT(images.recalled, ::testing::Contains(ElementsAre(7u)));
}

TEST_F(CrewTest, RemembersWhatTookMostOfItsTimeInVain) {
  start();
  ask("a", "slow", true, 10s);
  advance(9s);
  fail_with(0, media::errc::timeout);
  EXPECT_EQ(images.denied, 1);

  ask("b", "quick", true, 10s);
  advance(1s);
  fail_with(1, media::errc::timeout);
  EXPECT_EQ(images.denied, 1);
}

TEST_F(CrewTest, TriesAgainOnceWhatKillsItsChild) {
  start();
  ask("a", "one");
  fail_with(0, media::errc::crashed);
  ASSERT_EQ(images.tasks.size(), 2u);
  EXPECT_TRUE(heard.empty());
  fail_with(1, media::errc::crashed);

  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].second.error().code, media::errc::crashed);
  EXPECT_EQ(images.crashes, 2);
  ask("b", "two");
  EXPECT_EQ(images.tasks.size(), 3u);
}

TEST_F(CrewTest, TellsAndRemembersWhatIsNoImage) {
  start();
  ask("a", "one");
  ask("b", "two");
  fail_with(0, media::errc::invalid_media);

  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].second.error().code, media::errc::invalid_media);
  EXPECT_EQ(images.denied, 1);
  EXPECT_EQ(images.tasks.size(), 2u);
}

TEST_F(CrewTest, SetsTextByAChildThatSeesFonts) {
  start();
  ask("a", "picture");
  finish(0);
  ask("a", "text", true, 10s, media::image_format::jpeg, true);
  finish(1);
  ask("a", "picture again");

  EXPECT_FALSE(images.tasks[0].sets_text);
  EXPECT_TRUE(images.tasks[1].sets_text);
  EXPECT_FALSE(images.tasks[2].sets_text);
  EXPECT_EQ(images.children, 2);
}

TEST_F(CrewTest, GivesUpWhatNoChildCanTakeInTime) {
  start();
  ask("a", "one", true, 60s);
  ask("b", "two", true, 60ms);
  advance(70ms);

  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].first, "two");
  EXPECT_EQ(heard[0].second.error().code, errc::deadline);
}

TEST_F(CrewTest, GivesThePlaceOfASlowChildToAnother) {
  start();
  ask("a", "slow", true, 80ms);
  ask("b", "next", true, 60s);
  ASSERT_EQ(images.tasks.size(), 1u);
  advance(50ms);

  ASSERT_EQ(images.tasks.size(), 2u);
  EXPECT_EQ(images.children, 2);
  EXPECT_EQ(figures().replaced, 1u);
  finish(0);
  EXPECT_EQ(images.children, 1);
  finish(1);
  EXPECT_THAT(words(), ElementsAre("slow", "next"));
}

} // namespace
} // namespace troupe::actors
