#include "actors/callbacks.hpp"
#include "actors/job_log.hpp"
#include "actors/rate_meter.hpp"
#include "actors/store/job_log.hpp"
#include "tests/actor_fixture.hpp"
#include "tests/actors/fakes.hpp"

#include <caf/send.hpp>
#include <gmock/gmock.h>

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;
using namespace testing;
using ::testing::HasSubstr;
using ::testing::SizeIs;

struct post {
  media::callback_post what;
  media::callback_heard heard;
};

class CallbackTest : public troupe::testing::ActorTest {
protected:
  CallbackTest() {
    callback_options options;
    options.post = [this](media::callback_post what,
                          media::callback_heard heard) {
      posts.push_back({std::move(what), std::move(heard)});
    };
    options.max_attempts = 3;
    aut = sys.spawn(callbacks, std::move(options));
    queue_ = sys.spawn(fake_queue, queue);
  }

  ~CallbackTest() override {
    caf::anon_send_exit(aut, caf::exit_reason::kill);
    caf::anon_send_exit(queue_, caf::exit_reason::kill);
    run();
  }

  void begin() {
    wiring who;
    who.queue = queue_;
    caf::anon_send(aut, std::move(who));
    run();
  }

  void add(const std::string& id, std::uint32_t attempts = 0) {
    auto& it = queue->due.emplace_back();
    it.id = id;
    it.url = "http://a.example/" + id;
    it.type = "job.succeeded";
    it.payload = "{}";
    it.token = 7;
    it.attempts = attempts;
  }

  void answer(std::size_t index, long status, double retry_after_s = 0) {
    media::callback_answer said;
    said.status = status;
    said.retry_after_s = retry_after_s;
    posts.at(index).heard(said);
    run();
  }

  std::vector<post> posts;
  std::shared_ptr<queue_script> queue = std::make_shared<queue_script>();
  callback_impl aut;
  queue_actor queue_;
};

TEST_F(CallbackTest, DeliversWhatIsDueAndSaysSo) {
  add("e1");

  begin();
  answer(0, 204);

  ASSERT_THAT(posts, SizeIs(1));
  EXPECT_EQ(posts[0].what.url, "http://a.example/e1");
  EXPECT_EQ(posts[0].what.event_id, "e1");
  ASSERT_THAT(queue->settled_callbacks, SizeIs(1));
  EXPECT_EQ(queue->settled_callbacks[0].id, "e1");
  EXPECT_EQ(queue->settled_callbacks[0].token, 7u);
  EXPECT_EQ(queue->settled_callbacks[0].outcome,
            store::callback_outcome::delivered);
}

TEST_F(CallbackTest, PutsOffWhatMayPassAndAsksAgainInTime) {
  add("e1");
  begin();

  answer(0, 503, 3);
  add("e1", 1);
  advance(2s);
  EXPECT_THAT(posts, SizeIs(1));
  advance(2s);

  EXPECT_THAT(posts, SizeIs(2));
  EXPECT_EQ(queue->settled_callbacks[0].outcome,
            store::callback_outcome::retry);
  EXPECT_EQ(queue->settled_callbacks[0].retry_after_ms, 3000);
  EXPECT_THAT(queue->settled_callbacks[0].error, HasSubstr("503"));
}

TEST_F(CallbackTest, GivesUpAfterTheLastAttemptAndAtOnceWhatWillNotPass) {
  add("last", 2);
  add("gone");
  begin();

  answer(0, 500);
  answer(1, 410);

  ASSERT_THAT(queue->settled_callbacks, SizeIs(2));
  for (const auto& it : queue->settled_callbacks)
    EXPECT_EQ(it.outcome, store::callback_outcome::dead);
}

TEST_F(CallbackTest, HasNoMoreUnderWayThanItMayHave) {
  for (int i = 0; i < 100; ++i)
    add("e" + std::to_string(i));

  begin();
  EXPECT_THAT(posts, SizeIs(64));
  for (std::size_t i = 0; i < 36; ++i)
    answer(i, 200);

  EXPECT_THAT(posts, SizeIs(100));
}

TEST_F(CallbackTest, HearsASecondAnswerOfOnePostNoMore) {
  add("e1");
  begin();

  answer(0, 200);
  answer(0, 500);

  EXPECT_THAT(queue->settled_callbacks, SizeIs(1));
}

TEST_F(CallbackTest, IsWokenByTheQueue) {
  begin();
  add("e1");

  caf::anon_send(aut, callbacks_due{});
  run();

  EXPECT_THAT(posts, SizeIs(1));
}

TEST_F(CallbackTest, LeavesNothingBehindThatCallsADeadActor) {
  add("e1");
  begin();
  caf::anon_send_exit(aut, caf::exit_reason::kill);
  run();

  answer(0, 200);

  EXPECT_THAT(queue->settled_callbacks, SizeIs(0));
}

// -- logs ---------------------------------------------------------------------

TEST(JobLog, KeepsEachMessageOnOneLine) {
  EXPECT_EQ(store::log_line(1'700'000'000'000, "info", "a\nb\x1b[1m\xff"),
            "2023-11-14T22:13:20.000Z info a b [1m\xef\xbf\xbd\n");
  EXPECT_EQ(level_of_line("ERROR: no"), "error");
  EXPECT_EQ(level_of_line("WARNING: hm"), "warning");
  EXPECT_EQ(level_of_line("[download] 1"), "info");
}

// -- meters -------------------------------------------------------------------

TEST(RateMeter, ForgetsWhatIsOlderThanTenSeconds) {
  rate_meter meter;
  const rate_meter::clock::time_point start{1000s};

  meter.count(start, 30);
  meter.count(start + 5s, 20);

  EXPECT_EQ(meter.per_s(start + 9s), 5);
  EXPECT_EQ(meter.per_s(start + 10s), 2);
  EXPECT_EQ(meter.per_s(start + 1h), 0);
}

} // namespace
} // namespace troupe::actors
