#include "tests/actors/events_fixture.hpp"

/// How much a client asks at once, and of which queue.
namespace troupe::actors {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SubscribingTest : public EventsTest {
protected:
  std::vector<topic_request> topics(int from, int count) {
    std::vector<topic_request> wish;
    for (int i = from; i < from + count; ++i) {
      const auto id = "j" + std::to_string(i);
      job(id, store::job_state::queued);
      wish.push_back({"job:" + id, "", 0});
    }
    return wish;
  }

  /// Answers all that a mute queue has kept, and what is asked meanwhile.
  void answer_all() {
    script->mute = false;
    for (auto& ask : std::exchange(script->kept, {}))
      ask.reply(script->jobs.at(ask.id));
    run();
  }
};

TEST_F(SubscribingTest, AsksAFewSnapshotsAtOnce) {
  auto client = join();
  script->mute = true;

  client.port->subscribe("1", topics(0, 100));
  run();
  EXPECT_THAT(script->kept, SizeIs(8));
  EXPECT_EQ(*door->owed(), 8u);
  answer_all();

  EXPECT_THAT(client.sink->take(), SizeIs(100));
  EXPECT_EQ(*door->owed(), 0u);
}

TEST_F(SubscribingTest, ShowsNoMoreRunningJobsThanItsLimitLetsThrough) {
  auto client = join();
  for (int i = 0; i < 20; ++i)
    job("j" + std::to_string(i), store::job_state::running)
      .params.assign(settings.client_bytes / 10, ' ');

  client.port->subscribe("1", {{"jobs", "", 0}});
  run();

  EXPECT_FALSE(client.sink->closed);
  const auto frames = client.sink->take();
  ASSERT_THAT(frames, SizeIs(1));
  EXPECT_LT(frames.front()->text.size(), settings.client_bytes / 2);
  EXPECT_THAT(frames.front()->text, HasSubstr("\"truncated\":true"));
  EXPECT_THAT(frames.front()->text, HasSubstr("\"running\":[{"));
}

TEST_F(SubscribingTest, AsksForSnapshotsAsFastAsTheyAreRead) {
  auto client = join();
  for (int i = 0; i < 100; ++i)
    job("j" + std::to_string(i), store::job_state::queued)
      .params.assign(settings.client_bytes / 3, ' ');

  client.port->subscribe("1", topics(0, 100));
  std::size_t seen = 0;
  for (int i = 0; i < 200 && seen < 100; ++i) {
    run();
    ASSERT_FALSE(client.sink->closed);
    const auto frames = client.sink->take();
    EXPECT_LE(frames.size(), 10u);
    seen += frames.size();
    for (const auto& it : frames)
      client.port->sent(it->text.size());
  }

  EXPECT_EQ(seen, 100u);
}

TEST_F(SubscribingTest, MeetsOneWishAfterTheOther) {
  auto client = join();
  script->mute = true;

  client.port->subscribe("1", topics(0, 20));
  client.port->subscribe("2", topics(20, 5));
  client.port->unsubscribe("3", {"job:j22"});
  run();
  EXPECT_EQ(client.port->wished(), 5u);
  answer_all();

  EXPECT_EQ(client.port->wished(), 0u);
  const auto frames = client.sink->take();
  EXPECT_EQ(std::ranges::count(frames, frame_kind::unsubscribed, &frame::kind),
            1);
  EXPECT_GE(std::ranges::count(frames, frame_kind::subscribed, &frame::kind),
            24);
}

TEST_F(SubscribingTest, WaitsWhileOthersAreOwedTooManyAnswers) {
  door = std::make_shared<queue_door>(queue, 2);
  auto one = join();
  auto two = join();
  script->mute = true;

  one.port->subscribe("1", topics(0, 2));
  two.port->subscribe("1", topics(2, 2));
  run();
  EXPECT_THAT(script->kept, SizeIs(2));
  answer_all();
  advance(100ms);

  EXPECT_THAT(one.sink->take(), SizeIs(2));
  EXPECT_THAT(two.sink->take(), SizeIs(2));
}

TEST_F(SubscribingTest, AsksTheQueueThatTookTheDeadOnesPlace) {
  auto client = join();
  caf::anon_send_exit(queue, caf::exit_reason::kill);
  door->meet(queue_actor{});
  run();

  client.port->subscribe("1", topics(0, 1));
  run();
  EXPECT_THAT(client.sink->take(), IsEmpty());
  queue = sys.spawn(fake_event_queue, script);
  door->meet(queue);
  advance(100ms);

  const auto frames = client.sink->take();
  ASSERT_THAT(frames, SizeIs(1));
  EXPECT_EQ(frames[0]->kind, frame_kind::subscribed);
  EXPECT_FALSE(client.sink->closed);
}

} // namespace
} // namespace troupe::actors
