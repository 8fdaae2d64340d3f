#include "tests/actors/events_fixture.hpp"

/// How much a client asks at once, and of which queue.
namespace troupe::actors {
namespace {

using namespace testing;
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
