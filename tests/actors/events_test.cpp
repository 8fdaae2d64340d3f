#include "actors/client.hpp"
#include "actors/client_queue.hpp"
#include "actors/hub.hpp"
#include "tests/actor_fixture.hpp"

#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <gmock/gmock.h>

#include <optional>

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// What the queue's stand-in knows and has been asked.
struct queue_script {
  std::map<std::string, store::job> jobs;
  bool mute = false; ///< keeps what it is asked
  std::vector<get_request> kept;
};

queue_actor::behavior_type fake_queue(queue_actor::pointer,
                                      std::shared_ptr<queue_script> script) {
  return {
    [](const submit_request&) {},
    [](const job_command&) {},
    [script](const get_request& ask) {
      if (script->mute) {
        script->kept.push_back(ask);
        return;
      }
      const auto found = script->jobs.find(ask.id);
      if (found == script->jobs.end())
        ask.reply(fail(store::errc::not_found));
      else
        ask.reply(found->second);
    },
    [script](const list_request& ask) {
      store::job_page page;
      for (const auto& [id, job] : script->jobs)
        if (job.state == ask.query.state)
          page.jobs.push_back(job);
      ask.reply(page);
    },
    [script](const depths_request& ask) {
      store::queue_depth depth;
      depth.queue = "download";
      depth.oldest_age_ms = 1500;
      for (const auto& [id, job] : script->jobs)
        ++depth.by_state[static_cast<std::size_t>(job.state)];
      ask.reply(std::vector{depth});
    },
    [script](const queues_request& ask) {
      store::queue_info queue;
      queue.queue = "download";
      queue.oldest_age_ms = 1500;
      for (const auto& [id, job] : script->jobs)
        ++queue.by_state[static_cast<std::size_t>(job.state)];
      ask.reply(std::vector{queue});
    },
    [](const store_call&) {},
    [](const change_call&) {},
    [](const batch_call&) {},
    [](const bulk_call&) {},
    [](const batch_request&) {},
    [](const log_call&) {},
    [](const take_callbacks&) { return callback_batch{}; },
    [](const store::callback_settlement&) {},
    [](const announce&) {},
    [](const room&) {},
    [](const settle_request&) { return settle_reply{}; },
    [](const progress_report&) {},
    [](const renewal_report&) {},
    [](const wiring&) {},
    [](const drain_request&) { return drained{}; },
  };
}

/// A connection's end that notes what it hears.
class noting_sink final : public client_sink {
public:
  std::size_t deliver(std::vector<frame_ptr> frames) override {
    deliveries.push_back(frames.size());
    std::size_t bytes = 0;
    for (auto& frame : frames) {
      bytes += frame->text.size();
      heard.push_back(std::move(frame));
    }
    return at_once ? bytes : 0;
  }

  void close(close_code code, std::string) override {
    closed = code;
  }

  std::vector<frame_ptr> take() {
    return std::exchange(heard, {});
  }

  bool at_once = false; ///< everything leaves while it is delivered
  std::vector<std::size_t> deliveries;
  std::vector<frame_ptr> heard;
  std::optional<close_code> closed;
};

class EventsTest : public troupe::testing::ActorTest {
protected:
  EventsTest() {
    hub = spawn_hub(sys, settings);
    queue = sys.spawn(fake_queue, script);
    run();
  }

  ~EventsTest() override {
    caf::anon_send_exit(hub, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(queue, caf::exit_reason::user_shutdown);
  }

  struct listener {
    std::shared_ptr<noting_sink> sink = std::make_shared<noting_sink>();
    std::unique_ptr<client_port> port;
  };

  listener join() {
    listener made;
    made.port = open_client(sys, hub, queue, made.sink, settings);
    run();
    return made;
  }

  /// Subscribes to one topic; its first frame.
  frame_ptr subscribe(listener& who, topic_request wish) {
    who.port->subscribe("7", {std::move(wish)});
    run();
    auto frames = who.sink->take();
    if (frames.empty())
      return nullptr;
    auto first = frames.front();
    frames.erase(frames.begin());
    who.sink->heard = std::move(frames);
    return first;
  }

  store::job& job(const std::string& id, store::job_state state) {
    auto& made = script->jobs[id];
    made.id = id;
    made.queue = "download";
    made.state = state;
    made.fence.epoch = 1;
    ++made.revision;
    return made;
  }

  void tell(job_event_type type, const store::job& about) {
    self->send(hub, event_batch{{{type, 1700000000000, about}}});
    run();
  }

  void report(const std::string& id, std::int64_t done) {
    progress_report made{id, "download", 1, {}};
    made.now.done = done;
    self->send(hub, std::move(made));
    run();
  }

  static std::vector<std::uint64_t>
  offsets(const std::vector<frame_ptr>& frames) {
    std::vector<std::uint64_t> out;
    for (const auto& frame : frames)
      out.push_back(frame->offset);
    return out;
  }

  config::event_settings settings = [] {
    config::event_settings made;
    made.client_bytes = 256 * 1024;
    return made;
  }();
  std::shared_ptr<queue_script> script = std::make_shared<queue_script>();
  hub_actor hub;
  queue_actor queue;
};

TEST_F(EventsTest, BeginsWithASnapshotAndGoesOnWithoutAGap) {
  auto& a = job("a", store::job_state::running);
  tell(job_event_type::started, a);
  auto client = join();

  const auto first = subscribe(client, {"job:a", "", 0});
  tell(job_event_type::succeeded, job("a", store::job_state::succeeded));

  ASSERT_TRUE(first);
  EXPECT_THAT(first->text,
              AllOf(HasSubstr(R"({"op":"subscribed","id":7,"topic":"job:a")"),
                    HasSubstr(R"("recovered":false,"snapshot":{"id":"a",)")));
  const auto frames = client.sink->take();
  EXPECT_THAT(offsets(frames), ElementsAre(first->offset + 1));
  EXPECT_EQ(frames[0]->type, "job.succeeded");
}

TEST_F(EventsTest, AnswersAnUnknownJobWithNotFound) {
  auto client = join();

  const auto answer = subscribe(client, {"job:zz", "", 0});

  EXPECT_EQ(answer->kind, frame_kind::error);
  EXPECT_THAT(answer->text, HasSubstr(R"("id":7,"code":"not_found")"));
  tell(job_event_type::created, job("zz", store::job_state::queued));
  EXPECT_THAT(client.sink->take(), IsEmpty()) << "it holds no subscription";
}

TEST_F(EventsTest, ShowsCountsAndRunningJobsOfAllJobs) {
  job("a", store::job_state::running);
  job("b", store::job_state::queued);
  auto client = join();

  const auto jobs = subscribe(client, {"jobs", "", 0});
  const auto depth = subscribe(client, {"queue:download", "", 0});

  EXPECT_THAT(jobs->text,
              AllOf(HasSubstr(R"("snapshot":{"counts":{"scheduled":0,)"),
                    HasSubstr(R"("queued":1,"running":1,)"),
                    HasSubstr(R"("running":[{"id":"a",)"),
                    HasSubstr(R"("truncated":false)")));
  EXPECT_THAT(depth->text,
              AllOf(HasSubstr(R"("name":"download","paused":false,"depth":{)"),
                    HasSubstr(R"("oldest_age_s":1.5)")));
}

TEST_F(EventsTest, GivesAClientExactlyTheFiftyEventsItMissed) {
  auto client = join();
  const auto first = subscribe(client, {"jobs", "", 0});
  client.port.reset();
  run();
  for (int i = 0; i < 50; ++i)
    tell(job_event_type::created,
         job("j" + std::to_string(i), store::job_state::queued));

  auto again = join();
  const auto answer = subscribe(again, {"jobs", first->epoch, first->offset});

  EXPECT_THAT(answer->text, HasSubstr(R"("recovered":true)"));
  EXPECT_EQ(answer->offset, first->offset + 50);
  const auto missed = again.sink->take();
  ASSERT_THAT(missed, SizeIs(50));
  for (std::size_t i = 0; i < 50; ++i) {
    EXPECT_EQ(missed[i]->offset, first->offset + 1 + i);
    EXPECT_EQ(missed[i]->subject, "j" + std::to_string(i));
  }
}

TEST_F(EventsTest, RecoversNothingFromANewHub) {
  auto client = join();
  const auto first = subscribe(client, {"jobs", "", 0});
  caf::anon_send_exit(hub, caf::exit_reason::kill);
  run();
  const auto closed = client.sink->closed;

  hub = spawn_hub(sys, settings);
  auto again = join();
  const auto answer = subscribe(again, {"jobs", first->epoch, first->offset});

  EXPECT_EQ(closed, close_code::internal_error);
  EXPECT_THAT(answer->text, HasSubstr(R"("recovered":false)"));
  EXPECT_NE(answer->epoch, first->epoch);
}

TEST_F(EventsTest, HoldsEventsBackUntilTheSnapshotIsThere) {
  auto& a = job("a", store::job_state::queued);
  tell(job_event_type::created, a);
  auto client = join();
  script->mute = true;
  client.port->subscribe("1", {{"job:a", "", 0}});
  run();
  a = job("a", store::job_state::running);
  tell(job_event_type::started, a);
  const auto before = client.sink->take();

  ASSERT_THAT(script->kept, SizeIs(1));
  script->kept[0].reply(a);
  run();

  EXPECT_THAT(before, IsEmpty());
  const auto frames = client.sink->take();
  ASSERT_THAT(frames, SizeIs(2));
  EXPECT_EQ(frames[0]->kind, frame_kind::subscribed);
  EXPECT_EQ(frames[1]->offset, frames[0]->offset + 1);
}

TEST_F(EventsTest, SaysWhenTheQueueDiesBeforeItAnswers) {
  job("a", store::job_state::queued);
  auto client = join();
  script->mute = true;
  client.port->subscribe("1", {{"job:a", "", 0}});
  run();

  script->kept.clear();
  run();

  const auto frames = client.sink->take();
  ASSERT_THAT(frames, SizeIs(1));
  EXPECT_THAT(frames[0]->text, HasSubstr(R"("code":"store_unavailable")"));
}

TEST_F(EventsTest, ConflatesProgressByTheClockAndEncodesItOnce) {
  tell(job_event_type::started, job("a", store::job_state::running));
  auto one = join();
  auto two = join();
  subscribe(one, {"job:a", "", 0});
  subscribe(two, {"job:a", "", 0});

  for (int done = 1; done <= 20; ++done)
    report("a", done);
  advance(100ms);

  const auto frames = one.sink->take();
  ASSERT_THAT(frames, SizeIs(2));
  EXPECT_THAT(frames[0]->text, HasSubstr(R"("done":1,)"));
  EXPECT_THAT(frames[1]->text, HasSubstr(R"("done":20,)"));
  EXPECT_EQ(two.sink->take(), frames) << "the very same text for both";
}

TEST_F(EventsTest, GathersWhatHappensWhileManyAreBeingTold) {
  std::vector<listener> many;
  for (int i = 0; i < 100; ++i) {
    many.push_back(join());
    subscribe(many.back(), {"jobs", "", 0});
    many.back().sink->deliveries.clear();
  }
  auto& a = job("a", store::job_state::queued);

  for (int i = 0; i < 4; ++i)
    tell(job_event_type::queued, a);
  const auto at_once = many.back().sink->deliveries;
  advance(1ms);

  EXPECT_THAT(at_once, ElementsAre(1));
  EXPECT_THAT(many.back().sink->deliveries, ElementsAre(1, 3));
}

TEST_F(EventsTest, LetsTheFirstOfSomeEventsWaitForTheNextWhereTellingIsLong) {
  std::vector<listener> many;
  for (int i = 0; i < 1000; ++i) {
    many.push_back(join());
    subscribe(many.back(), {"jobs", "", 0});
    many.back().sink->deliveries.clear();
  }
  auto& a = job("a", store::job_state::queued);

  for (int i = 0; i < 3; ++i)
    tell(job_event_type::queued, a);
  const auto at_once = many.back().sink->deliveries;
  advance(2ms);

  EXPECT_THAT(at_once, IsEmpty());
  EXPECT_THAT(many.back().sink->deliveries, ElementsAre(3));
}

TEST_F(EventsTest, SendsMoreThanAWindowToASocketThatTakesItAtOnce) {
  auto client = join();
  const auto first = subscribe(client, {"jobs", "", 0});
  client.port.reset();
  run();
  for (int i = 0; i < 60; ++i) {
    auto& a = job("a", store::job_state::queued);
    a.params.assign(1000, ' ');
    tell(job_event_type::queued, a);
  }

  auto again = join();
  again.sink->at_once = true;
  subscribe(again, {"jobs", first->epoch, first->offset});

  EXPECT_THAT(again.sink->take(), SizeIs(60));
}

TEST_F(EventsTest, ForgetsAClientThatDies) {
  auto client = join();
  subscribe(client, {"jobs", "", 0});
  client.port.reset();
  run();

  std::optional<hub_figures> figures;
  self->send(hub,
             figures_request{answer<hub_figures>{[&](result<hub_figures> r) {
               figures = *r;
             }}});
  run();

  ASSERT_TRUE(figures);
  EXPECT_EQ(figures->clients, 0u);
}

TEST_F(EventsTest, StopsSendingWhatIsUnsubscribed) {
  auto client = join();
  subscribe(client, {"jobs", "", 0});
  client.port->unsubscribe("\"x\"", {"jobs"});
  run();
  const auto frames = client.sink->take();

  tell(job_event_type::created, job("a", store::job_state::queued));

  ASSERT_THAT(frames, SizeIs(1));
  EXPECT_EQ(frames[0]->text,
            R"({"op":"unsubscribed","id":"x","topic":"jobs"})");
  EXPECT_THAT(client.sink->take(), IsEmpty());
}

TEST_F(EventsTest, StartsAHeldTopicAnewWhenItIsAskedAgain) {
  auto client = join();
  subscribe(client, {"jobs", "", 0});
  subscribe(client, {"jobs", "", 0});

  tell(job_event_type::created, job("a", store::job_state::queued));

  EXPECT_THAT(client.sink->take(), SizeIs(1)) << "not twice";
}

TEST_F(EventsTest, ClosesASlowConsumerWith4008AndDropsNoChangeBefore) {
  auto client = join();
  const auto first = subscribe(client, {"jobs", "", 0});
  int told = 0;
  while (!client.sink->closed && told < 10000) {
    auto& a = job("a", store::job_state::queued);
    a.params.assign(1000, ' ');
    tell(job_event_type::queued, a);
    ++told;
  }

  EXPECT_EQ(client.sink->closed, close_code::slow_consumer);
  EXPECT_LT(told, 256);
  const auto frames = client.sink->take();
  for (std::size_t i = 0; i < frames.size(); ++i)
    EXPECT_EQ(frames[i]->offset, first->offset + 1 + i);
  EXPECT_LT(frames.size(), 64u) << "no more than the window is with the sink";
}

TEST_F(EventsTest, ConflatesTheProgressOfASlowConsumer) {
  tell(job_event_type::started, job("a", store::job_state::running));
  auto client = join();
  const auto first = subscribe(client, {"job:a", "", 0});
  for (int i = 0; i < 2000; ++i) {
    report("a", i);
    advance(100ms);
  }
  tell(job_event_type::succeeded, job("a", store::job_state::succeeded));
  ASSERT_FALSE(client.sink->closed);
  auto frames = client.sink->take();
  const auto before = frames.size();

  client.port->sent(1024 * 1024);
  run();

  const auto rest = client.sink->take();
  EXPECT_LT(before, 1000u);
  ASSERT_THAT(rest, SizeIs(2));
  EXPECT_THAT(rest[0]->text, HasSubstr(R"("done":1999,)"));
  EXPECT_EQ(rest[1]->type, "job.succeeded");
  EXPECT_EQ(rest[1]->offset, first->offset + 2001);
}

TEST_F(EventsTest, RefusesNamesOfNoTopicAndTooManyTopics) {
  auto client = join();
  const auto zebra = subscribe(client, {"zebra", "", 0});
  std::vector<topic_request> many;
  for (int i = 0; i < 1100; ++i)
    many.push_back({"owner:o" + std::to_string(i), "", 0});

  client.port->subscribe("9", std::move(many));
  run();
  client.port->sent(1024 * 1024);
  run();

  EXPECT_THAT(zebra->text, HasSubstr(R"("code":"invalid_params")"));
  std::size_t refused = 0;
  for (const auto& frame : client.sink->take())
    refused += frame->kind == frame_kind::error;
  EXPECT_EQ(refused, 1100 - client_port::max_topics);
}

// -- the queue of frames ------------------------------------------------------

frame_ptr frame_of(std::string text, bool progress, std::string subject) {
  auto made = std::make_shared<frame>();
  made->text = std::move(text);
  made->progress = progress;
  made->subject = std::move(subject);
  return made;
}

TEST(ClientQueue, LetsTheNewestProgressOfAJobTakeTheOlderOnesPlace) {
  client_queue queue;
  queue.push(frame_of("a1", true, "a"));
  queue.push(frame_of("b1", true, "b"));
  queue.push(frame_of("change", false, "a"));
  queue.push(frame_of("a2", true, "a"));

  std::vector<std::string> out;
  EXPECT_EQ(queue.bytes(), 10u);
  while (const auto next = queue.pop())
    out.push_back(next->text);

  EXPECT_THAT(out, ElementsAre("b1", "change", "a2"));
  EXPECT_EQ(queue.bytes(), 0u);
}

TEST(ClientQueue, ForgetsProgressThatHasLeft) {
  client_queue queue;
  queue.push(frame_of("a1", true, "a"));
  EXPECT_EQ(queue.pop()->text, "a1");
  queue.push(frame_of("a2", true, "a"));
  queue.push(frame_of("a3", true, "a"));

  EXPECT_EQ(queue.pop()->text, "a3");
  EXPECT_EQ(queue.pop(), nullptr);
}

} // namespace
} // namespace troupe::actors
