#include "actors/extract.hpp"
#include "tests/actors/queue_fixture.hpp"

namespace troupe::actors {
namespace {

using namespace testing;

TEST_F(QueueTest, WritesAtOnceWhatWaits) {
  const auto replies = listen<submit_reply>();
  for (int i = 0; i < 10; ++i)
    caf::anon_send(aut, noop(replies));

  run();

  ASSERT_EQ(replies->size(), 10u);
  EXPECT_EQ(faults->writes, 1u);
  for (const auto& it : *replies)
    EXPECT_TRUE(it && it->created);
  EXPECT_EQ(events(job_event_type::created), 10u);
}

TEST_F(QueueTest, RefusesAKeyWhoseFirstRequestIsUnderWay) {
  const auto replies = listen<submit_reply>();
  caf::anon_send(aut, noop(replies, "k"));
  caf::anon_send(aut, noop(replies, "k"));
  run();
  caf::anon_send(aut, noop(replies, "k"));
  run();

  ASSERT_EQ(replies->size(), 3u);
  EXPECT_EQ(replies->at(0).error().code, errc::idempotency_in_progress);
  EXPECT_FALSE(replies->at(1)->replayed);
  EXPECT_TRUE(replies->at(2)->replayed);
  EXPECT_EQ(events(job_event_type::created), 1u);
}

TEST_F(QueueTest, SaysInWhichStateAJobCannotBeWhat) {
  const auto id = submit();

  const auto retried = command(job_command_kind::retry, id);
  const auto purged = command(job_command_kind::purge, id);

  ASSERT_FALSE(retried);
  EXPECT_EQ(retried.error().code, store::errc::invalid_state);
  EXPECT_EQ(retried.error().detail, "the job is queued and cannot be retried");
  ASSERT_FALSE(purged);
  EXPECT_EQ(purged.error().detail, "the job is queued and cannot be purged");
}

TEST_F(QueueTest, TellsTheHubBeforeAnybodyElse) {
  submit_request request;
  request.op.draft.queue = "bulk";
  request.reply = answer<submit_reply>{[this](const auto&) {
    order.push_back("reply");
  }};
  join(1);

  caf::anon_send(aut, std::move(request));
  run();

  // Replies are calls, the others are messages: what counts is that each
  // event was sent before what follows from it.
  const auto at = [this](const std::string& what) {
    return std::ranges::find(order, what) - order.begin();
  };
  ASSERT_EQ(order.size(), 4u);
  EXPECT_LT(at("event 0"), at("event 2"));
  EXPECT_LT(at("event 2"), at("lease"));
}

TEST_F(QueueTest, LeasesNoMoreThanThereIsRoomFor) {
  join(2);
  for (int i = 0; i < 5; ++i)
    submit();
  std::size_t leased = 0;
  for (const auto& batch : pool->leases)
    leased += batch.jobs.size();
  EXPECT_EQ(leased, 2u);

  const auto verdict =
    settle(store::succeed_op{lease().id, lease().fence, "{}"}, 1);

  ASSERT_TRUE(*verdict);
  EXPECT_EQ((*verdict)->verdicts.at(0).error, store::errc::none);
  EXPECT_TRUE((*verdict)->verdicts.at(0).ended);
  EXPECT_EQ(pool->leases.back().jobs.size(), 1u);
  EXPECT_EQ(events(job_event_type::started), 3u);
  EXPECT_EQ(events(job_event_type::succeeded), 1u);
}

TEST_F(QueueTest, SettlesTheSameOutcomeOnce) {
  join(1);
  submit();
  const store::succeed_op op{lease().id, lease().fence, "{}"};

  const auto first = settle(op);
  const auto second = settle(op);

  EXPECT_EQ((*first)->verdicts.at(0).error, store::errc::none);
  EXPECT_EQ((*second)->verdicts.at(0).error, store::errc::none);
  EXPECT_EQ(events(job_event_type::succeeded), 1u);
}

TEST_F(QueueTest, RefusesTheOutcomeOfAnotherFence) {
  join(1);
  submit();

  const auto verdict =
    settle(store::succeed_op{lease().id, {lease().fence.epoch, 1}, "{}"});

  EXPECT_EQ((*verdict)->verdicts.at(0).error, store::errc::stale_fence);
  EXPECT_FALSE((*verdict)->verdicts.at(0).ended);
  EXPECT_EQ(events(job_event_type::succeeded), 0u);
}

TEST_F(QueueTest, AnswersSubmitsAndKeepsOutcomesWhileTheStoreIsAway) {
  join(2);
  submit();
  submit();
  faults->away = true;

  const auto first =
    settle(store::succeed_op{lease(0).id, lease(0).fence, "{}"});
  const auto second = settle(
    store::fail_op{lease(1).id, lease(1).fence, "internal", "", false, 0, {}});
  const auto replies = listen<submit_reply>();
  caf::anon_send(aut, noop(replies));
  run();

  EXPECT_FALSE(*first);
  EXPECT_FALSE(*second);
  ASSERT_EQ(replies->size(), 1u);
  EXPECT_EQ(replies->front().error().code, store::errc::unavailable);
  EXPECT_FALSE(status->store_up);

  faults->away = false;
  const auto renewed = faults->renewals;
  advance(5s);

  EXPECT_GT(faults->renewals, renewed);
  ASSERT_TRUE(*first);
  ASSERT_TRUE(*second);
  EXPECT_EQ((*first)->verdicts.at(0).error, store::errc::none);
  EXPECT_EQ(hub->events.at(hub->events.size() - 2).type,
            job_event_type::succeeded);
  EXPECT_EQ(hub->events.back().type, job_event_type::failed);
  EXPECT_TRUE(status->store_up);
  EXPECT_FALSE(submit().empty());
}

TEST_F(QueueTest, TellsOfAnOutcomeWhoseAnswerWasLost) {
  join(1);
  submit();
  faults->answer_lost = true;

  const auto verdict =
    settle(store::succeed_op{lease().id, lease().fence, "{}"});
  EXPECT_FALSE(*verdict);
  advance(5s);

  ASSERT_TRUE(*verdict);
  EXPECT_EQ((*verdict)->verdicts.at(0).error, store::errc::none);
  EXPECT_EQ(events(job_event_type::succeeded), 1u);
}

TEST_F(QueueTest, RevokesALeaseThatIsLost) {
  join(1);
  submit();
  const store::operation lost[] = {store::release_op{
    lease().id, lease().fence, store::release_reason::node_lost}};
  ASSERT_TRUE(store->apply(lost));
  pool->leases.resize(1);

  advance(5s);

  ASSERT_EQ(pool->revoked.size(), 1u);
  EXPECT_EQ(pool->revoked[0].fence, lease().fence);
  EXPECT_EQ(pool->revoked[0].why, media::errc::interrupted);
}

TEST_F(QueueTest, TellsTheManagerOnceOfACancellation) {
  join(1);
  const auto id = submit();

  const auto first = command(job_command_kind::cancel, id);
  const auto second = command(job_command_kind::cancel, id);
  advance(6s);

  ASSERT_TRUE(first);
  EXPECT_EQ(first->state, store::job_state::cancelling);
  EXPECT_TRUE(second);
  ASSERT_EQ(pool->revoked.size(), 1u);
  EXPECT_EQ(pool->revoked[0].why, media::errc::cancelled);
  EXPECT_EQ(events(job_event_type::cancelling), 1u);
}

TEST_F(QueueTest, GivesBackTheLeasesOfADeadManager) {
  const auto dead = join(1);
  const auto id = submit();

  caf::anon_send_exit(dead, caf::exit_reason::kill);
  run();

  EXPECT_EQ(get(id)->state, store::job_state::queued);
  EXPECT_EQ(get(id)->losses, 1u);
  EXPECT_EQ(events(job_event_type::queued), 1u);
  join(1);
  EXPECT_EQ(get(id)->state, store::job_state::running);
}

TEST_F(QueueTest, TakesBackTheLeasesOfAnEarlierLife) {
  join(1);
  const auto id = submit();
  caf::anon_send_exit(aut, caf::exit_reason::kill);
  run();

  start();

  EXPECT_EQ(get(id)->state, store::job_state::queued);
  EXPECT_EQ(get(id)->attempt, 1u);
  // Its attempt may have been what ended that life.
  EXPECT_EQ(get(id)->losses, 1u);
}

TEST_F(QueueTest, ShowsTheNewestProgressAndStoresItInTime) {
  join(1);
  const auto id = submit();
  progress_report report{id, "bulk", lease().fence.epoch, {}};
  report.now.stage = "download";
  report.now.done = 7;

  caf::anon_send(aut, report);
  ++report.epoch;
  report.now.done = 8;
  caf::anon_send(aut, report);
  run();

  EXPECT_EQ(get(id)->progress.done, 7);
  EXPECT_EQ(store->get(id)->progress.done, 0);
  advance(6s);
  EXPECT_EQ(store->get(id)->progress.done, 7);
}

TEST_F(QueueTest, AnswersWhomItsDeathLeavesWaiting) {
  const auto replies = listen<submit_reply>();
  caf::anon_send_exit(aut, caf::exit_reason::kill);
  caf::anon_send(aut, noop(replies));
  run();
  caf::anon_send(aut, noop(replies));
  run();

  ASSERT_EQ(replies->size(), 2u);
  for (const auto& it : *replies)
    EXPECT_EQ(it.error().code, errc::unavailable);
}

TEST_F(QueueTest, TakesNoNewWorkWhileItDrains) {
  join(1);
  const auto id = submit();
  self->request(queue_actor{aut}, caf::infinite, drain_request{});
  run();

  EXPECT_TRUE(submit().empty());
  const auto verdict = settle(store::succeed_op{id, lease().fence, "{}"}, 1);
  EXPECT_EQ((*verdict)->verdicts.at(0).error, store::errc::none);
  EXPECT_TRUE(status->draining);
}

TEST_F(QueueTest, RemovesTheFilesOfAJobCancelledBetweenAttempts) {
  join(1);
  const auto id = submit();
  settle(store::fail_op{id, lease().fence, "timeout", "", true, 60000, {}});
  ASSERT_EQ(get(id)->state, store::job_state::scheduled);
  EXPECT_EQ(events(job_event_type::retrying), 1u);

  command(job_command_kind::cancel, id);

  EXPECT_EQ(pool->discarded, std::vector<std::string>{id});
  EXPECT_EQ(events(job_event_type::cancelled), 1u);
}

// -- extract ------------------------------------------------------------------

class ExtractTest : public troupe::testing::ActorTest {
protected:
  ExtractTest() {
    extract_options options;
    options.look = [this](std::string, auto done) {
      looks.push_back(std::move(done));
    };
    options.limit = 10s;
    options.max_waiting = 2;
    aut = sys.spawn(extract, std::move(options));
  }
  ~ExtractTest() override {
    caf::anon_send_exit(aut, caf::exit_reason::kill);
  }

  void ask() {
    caf::anon_send(aut, extract_request{"http://x/", into(replies)});
    run();
  }

  std::vector<std::function<void(result<std::string>)>> looks;
  heard<extract_reply> replies = listen<extract_reply>();
  extract_impl aut;
};

TEST_F(ExtractTest, AnswersOnceHoweverOftenItIsAnswered) {
  ask();

  looks.at(0)(std::string{"{}"});
  looks.at(0)(std::string{"again"});
  advance(20s);

  ASSERT_EQ(replies->size(), 1u);
  EXPECT_EQ(replies->front()->json, "{}");
}

TEST_F(ExtractTest, AnswersWhatStalls) {
  ask();

  advance(11s);
  looks.at(0)(std::string{"late"});
  run();

  ASSERT_EQ(replies->size(), 1u);
  EXPECT_EQ(replies->front().error().code, errc::deadline);
}

TEST_F(ExtractTest, RefusesMoreThanCanWait) {
  ask();
  ask();
  ask();

  ASSERT_EQ(replies->size(), 1u);
  EXPECT_EQ(replies->front().error().code, errc::overloaded);
}

TEST_F(ExtractTest, AnswersWhomItsDeathLeavesWaiting) {
  ask();

  caf::anon_send_exit(aut, caf::exit_reason::kill);
  run();

  ASSERT_EQ(replies->size(), 1u);
  EXPECT_EQ(replies->front().error().code, errc::unavailable);
}

} // namespace
} // namespace troupe::actors
