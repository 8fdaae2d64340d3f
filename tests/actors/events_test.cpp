#include "tests/actors/events_fixture.hpp"

namespace troupe::actors {
namespace {

using namespace testing;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

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

} // namespace
} // namespace troupe::actors
