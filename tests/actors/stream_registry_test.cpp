#include "tests/actors/stream_fixture.hpp"

#include <gmock/gmock.h>

namespace troupe::actors {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RegistryTest : public StreamTest {
protected:
  void start() {
    registry_ = keep(sys.spawn(registry, makers));
    run();
  }

  media::line_ptr line(const std::string& mode = "v") {
    media::stream_wish wish;
    wish.mode = mode == "v" ? media::stream_mode::transcode
                            : media::stream_mode::automatic;
    auto plan = media::make_plan(
                  wish, media::testing::some_source(),
                  std::make_shared<media::av_index>(index),
                  [](const auto&, const auto&) { return 9.0; }, 1)
                  .value();
    return plan->video.front();
  }

  void want(const media::line_ptr& of, std::uint32_t number,
            std::chrono::seconds limit = 8s, int priority = 5) {
    segment_want wanted;
    wanted.work = {of->segment_key(number), of->source, of, number};
    wanted.deadline = sched.clock().now() + limit;
    wanted.priority = priority;
    wanted.reply = answer<made_segment>{[this, number](auto outcome) {
      heard.emplace_back(number, std::move(outcome));
    }};
    caf::anon_send(registry_, std::move(wanted));
    run();
  }

  void watch(const media::line_ptr& of, std::uint32_t number) {
    caf::anon_send(registry_, line_watch{of, number, 5});
    run();
  }

  std::vector<std::uint32_t> answered() const {
    std::vector<std::uint32_t> out;
    for (const auto& [number, outcome] : heard)
      if (outcome)
        out.push_back(number);
    return out;
  }

  registry_actor registry_;
  std::vector<std::pair<std::uint32_t, result<made_segment>>> heard;
};

TEST_F(RegistryTest, MakesWhatManyWantOnce) {
  start();
  for (int i = 0; i < 50; ++i)
    want(line(), 3);
  ASSERT_EQ(service.tasks.size(), 1u);
  finish(0);

  ASSERT_EQ(heard.size(), 50u);
  for (const auto& [number, outcome] : heard) {
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->media->bytes, "segment 3");
    EXPECT_EQ(outcome->init->bytes, "init");
  }
}

TEST_F(RegistryTest, GoesOnFromSegmentToSegmentUpToItsGoal) {
  makers.ahead_s = 4; // from second 4: segments at 4, 5, 6 and 8
  start();
  want(line(), 3);
  for (std::size_t i = 0; i < service.tasks.size() && i < 20; ++i)
    finish(i);

  EXPECT_THAT(begun(), ElementsAre(3, 4, 5, 6));
  const auto child = service.tasks.front().child;
  for (const auto& each : service.tasks)
    EXPECT_EQ(each.child, child);
}

TEST_F(RegistryTest, GoesOnWhenWhoWatchesComesNearer) {
  makers.ahead_s = 2;
  start();
  want(line(), 3);
  for (std::size_t i = 0; i < service.tasks.size(); ++i)
    finish(i);
  const auto before = service.tasks.size();

  watch(line(), 5);
  for (std::size_t i = before; i < service.tasks.size(); ++i)
    finish(i);

  EXPECT_GT(service.tasks.size(), before);
  EXPECT_EQ(service.children.size(), 1u);
}

TEST_F(RegistryTest, StartsAnotherRunForASeekAndKeepsTheFirst) {
  makers.ahead_s = 2;
  start();
  want(line(), 0);
  want(line(), 9);

  EXPECT_THAT(begun(), ElementsAre(0, 9));
  EXPECT_EQ(service.children.size(), 2u);
}

TEST_F(RegistryTest, WaitsForARunThatComesThereSoon) {
  start();
  want(line(), 2);
  want(line(), 4);
  EXPECT_EQ(service.children.size(), 1u);
  finish(0);
  finish(1);
  finish(2);

  EXPECT_THAT(answered(), ElementsAre(2, 4));
}

TEST_F(RegistryTest, StopsWhereTheNextSegmentExists) {
  start();
  const auto of = line();
  media::cached_bytes there;
  there.bytes = "there";
  service.disk[media::to_hex(of->segment_key(5))] =
    std::make_shared<media::cached_bytes>(there);
  want(of, 3);
  finish(0);
  finish(1);

  EXPECT_THAT(begun(), ElementsAre(3, 4));
  EXPECT_THAT(service.children, IsEmpty());
}

TEST_F(RegistryTest, EndsARunThatNobodyAsks) {
  makers.ahead_s = 0;
  makers.idle = 10s;
  start();
  want(line(), 3);
  finish(0);
  EXPECT_EQ(service.children.size(), 1u);

  advance(11s);

  EXPECT_THAT(service.children, IsEmpty());
}

TEST_F(RegistryTest, EncodesAsMuchAtOnceAsItMay) {
  makers.encoders = 1;
  makers.ahead_s = 0;
  start();
  want(line(), 0);
  want(line(), 6, 8s, 5);
  want(line(), 11, 8s, 9);
  ASSERT_EQ(service.tasks.size(), 1u);
  finish(0);
  finish(1);

  EXPECT_THAT(begun(), ElementsAre(0, 11, 6));
}

TEST_F(RegistryTest, LetsWhatSomebodyWaitsForGoBeforeWorkAhead) {
  makers.encoders = 1;
  start();
  want(line(), 0);
  want(line(), 8);
  finish(0);

  EXPECT_THAT(begun(), ElementsAre(0, 8));
}

TEST_F(RegistryTest, TakesOverWhatADeadChildWasAt) {
  start();
  want(line(), 3);
  fail_with(0, media::errc::crashed);
  ASSERT_EQ(service.tasks.size(), 2u);
  EXPECT_EQ(service.tasks[1].order, service.tasks[0].order);
  finish(1);

  ASSERT_EQ(heard.size(), 1u);
  ASSERT_TRUE(heard[0].second);
  EXPECT_EQ(heard[0].second->tries, 1u);
}

TEST_F(RegistryTest, HasMorePatienceWithEachTry) {
  start();
  want(line(), 3);
  fail_with(0, media::errc::timeout);
  fail_with(1, media::errc::timeout);
  ASSERT_EQ(service.tasks.size(), 3u);
  EXPECT_EQ(service.tasks[0].stall, 2s);
  EXPECT_EQ(service.tasks[1].stall, 4s);
  EXPECT_EQ(service.tasks[2].stall, 8s);
  fail_with(2, media::errc::timeout);

  ASSERT_EQ(heard.size(), 1u);
  ASSERT_FALSE(heard[0].second);
  EXPECT_EQ(heard[0].second.error().code, media::errc::timeout);
}

TEST_F(RegistryTest, TellsWhatCannotBeMadeAndMakesTheRest) {
  start();
  want(line(), 3);
  want(line(), 5);
  fail_with(0, media::errc::invalid_media);
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].second.error().code, media::errc::invalid_media);
  finish(1);

  EXPECT_THAT(answered(), ElementsAre(5));
}

TEST_F(RegistryTest, StopsReadingASourceThatCrashesItsChildren) {
  service.most_crashes = 2;
  start();
  want(line(), 3);
  fail_with(0, media::errc::crashed);
  fail_with(1, media::errc::crashed);

  EXPECT_EQ(service.tasks.size(), 2u);
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_FALSE(heard[0].second);
}

TEST_F(RegistryTest, BlamesNoSourceForAChildThatSomebodyKills) {
  service.most_crashes = 1;
  start();
  want(line(), 3);
  for (std::size_t i = 0; i < 5; ++i)
    fail_with(i, media::errc::killed);
  ASSERT_EQ(service.tasks.size(), 6u);
  for (const auto& each : service.tasks) {
    EXPECT_EQ(each.order, service.tasks[0].order);
    EXPECT_EQ(each.stall, 2s);
  }
  finish(5);

  EXPECT_EQ(service.crashes, 0);
  ASSERT_EQ(heard.size(), 1u);
  ASSERT_TRUE(heard[0].second);
  EXPECT_EQ(heard[0].second->tries, 5u);
}

TEST_F(RegistryTest, LetsWhatIsKilledAgainAndAgainRestForAWhile) {
  start();
  want(line(), 3);
  want(line(), 4);
  want(line("copy"), 0);
  for (const std::size_t i : {0u, 2u, 3u, 4u, 5u, 6u})
    fail_with(i, media::errc::killed);
  ASSERT_EQ(heard.size(), 2u) << "and who waits for the next one";
  for (const auto& [number, outcome] : heard)
    EXPECT_EQ(outcome.error().code, media::errc::killed) << number;
  const auto before = service.tasks.size();

  want(line(), 9);
  EXPECT_EQ(heard.size(), 3u);
  EXPECT_EQ(service.tasks.size(), before);
  want(line("copy"), 1);
  EXPECT_EQ(heard.size(), 3u) << "the source itself does not rest";
  advance(1s);
  want(line(), 9);

  EXPECT_EQ(service.tasks.size(), before + 1);
  EXPECT_EQ(service.tasks.back().order.sequence, 9u);
}

TEST_F(RegistryTest, ReadsASourceByOneChild) {
  start();
  const auto copy = line("copy");
  ASSERT_FALSE(copy->is_encoded());
  for (const std::uint32_t n : {0u, 1u, 2u})
    want(copy, n);
  EXPECT_EQ(service.tasks.size(), 1u);
  EXPECT_EQ(service.children.size(), 1u);
  finish(0);
  finish(1);
  finish(2);

  EXPECT_THAT(answered(), ElementsAre(0, 1, 2));
  advance(makers.idle + 1s);
  EXPECT_THAT(service.children, IsEmpty());
  want(copy, 3);
  finish(3);
  EXPECT_THAT(answered(), ElementsAre(0, 1, 2, 3));
}

TEST_F(RegistryTest, RefusesWhenTooManyWait) {
  makers.most_waiting = 2;
  start();
  want(line(), 0);
  want(line(), 5);
  want(line(), 9);

  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].second.error().code.category(), overload_category());
}

TEST_F(RegistryTest, EndsWithAllThatItOwns) {
  start();
  want(line(), 0);
  want(line("copy"), 0);
  EXPECT_EQ(service.children.size(), 2u);

  caf::anon_send_exit(registry_, caf::exit_reason::user_shutdown);
  registry_ = nullptr;
  run();

  EXPECT_THAT(service.children, IsEmpty());
  EXPECT_EQ(heard.size(), 2u);
}

} // namespace
} // namespace troupe::actors
