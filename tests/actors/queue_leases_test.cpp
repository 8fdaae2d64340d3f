#include "tests/actors/queue_fixture.hpp"

#include <gmock/gmock.h>

/// What a queue hands out, and whose clock it goes by.
namespace troupe::actors {
namespace {

using namespace testing;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class QueueLeasesTest : public QueueTest {
protected:
  std::size_t leased() const {
    std::size_t jobs = 0;
    for (const auto& batch : pool->leases)
      jobs += batch.jobs.size();
    return jobs;
  }

  /// Both clocks go on.
  void pass(std::chrono::seconds time) {
    for (auto left = time; left > 0s; left -= 1s) {
      store_ahead_ms += 1000;
      advance(1s);
    }
  }
};

TEST_F(QueueLeasesTest, LeasesNothingThatIsToBeStoredMoreSafelyOrNotAtAll) {
  const auto replies = listen<submit_reply>();
  join(4);
  for (int i = 0; i < 3; ++i) {
    auto request = noop(replies);
    request.op.asked = store::durability::disk;
    request.op.strict = true;
    caf::anon_send(aut, std::move(request));
  }

  run();

  ASSERT_EQ(replies->size(), 3u);
  for (const auto& it : *replies)
    EXPECT_EQ(it.error().code, errc::durability_unavailable);
  EXPECT_EQ(leased(), 0u);
  EXPECT_THAT(store->list({})->jobs, SizeIs(0));
}

TEST_F(QueueLeasesTest, RefusesAnotherTryWithTheSameKeyAgain) {
  const auto replies = listen<submit_reply>();
  for (int i = 0; i < 2; ++i) {
    auto request = noop(replies);
    request.op.asked = store::durability::disk;
    request.op.strict = true;
    request.op.idempotency = {"key", "body"};
    caf::anon_send(aut, std::move(request));
    run();
  }

  ASSERT_EQ(replies->size(), 2u);
  EXPECT_EQ(replies->back().error().code, errc::durability_unavailable);
  EXPECT_THAT(store->list({})->jobs, SizeIs(0));
}

TEST_F(QueueLeasesTest, KeepsRoomForWhatSomebodyWaitsFor) {
  const auto it = keep(sys.spawn(fake_manager, pool));
  caf::anon_send(aut, announce{{"bulk", 1, 1}, {}, it});
  run();
  submit();
  submit();
  ASSERT_EQ(leased(), 1u);
  const auto replies = listen<submit_reply>();
  for (const auto deadline_ms : {5000, 2000, 4000}) {
    auto request = noop(replies);
    request.op.draft.deadline_ms = deadline_ms;
    request.op.draft.priority = 0;
    caf::anon_send(aut, std::move(request));
  }
  run();

  ASSERT_EQ(pool->leases.size(), 2u);
  EXPECT_FALSE(pool->leases[0].urgent);
  EXPECT_TRUE(pool->leases[1].urgent);
  EXPECT_EQ(lease(1).deadline_ms, 2000);

  caf::anon_send(aut, room{"bulk", 1, 1});
  run();
  ASSERT_EQ(leased(), 4u);
  EXPECT_EQ(lease(2).deadline_ms, 4000) << "in any room they go first";
  EXPECT_EQ(lease(3).deadline_ms, 5000);
  EXPECT_TRUE(pool->leases[3].urgent);
}

TEST_F(QueueLeasesTest, CountsTheRoomOfADeadManagerNoMore) {
  const auto dead = join(2);
  submit();
  faults->away = true;
  settle(store::succeed_op{lease().id, lease().fence, "{}"}, 1);
  caf::anon_send_exit(dead, caf::exit_reason::kill);
  run();
  pool->leases.clear();
  join(2);

  faults->away = false;
  advance(5s);
  for (int i = 0; i < 5; ++i)
    submit();

  EXPECT_EQ(leased(), 2u);
}

TEST_F(QueueLeasesTest, SpendsNobodysBudgetByAnEndInOrder) {
  const auto manager_ends = join(1);
  const auto first = submit();
  caf::anon_send_exit(manager_ends, caf::exit_reason::user_shutdown);
  run();
  EXPECT_EQ(store->get(first)->state, store::job_state::queued);
  EXPECT_EQ(store->get(first)->losses, 0u);

  join(1);
  caf::anon_send_exit(aut, caf::exit_reason::user_shutdown);
  run();

  EXPECT_EQ(store->get(first)->state, store::job_state::queued);
  EXPECT_EQ(store->get(first)->losses, 0u);
}

TEST_F(QueueLeasesTest, CountsALeaseThatRanOutAsLost) {
  join(1);
  const auto id = submit();

  pass(60s);

  EXPECT_GE(events(job_event_type::queued), 1u);
  EXPECT_THAT(metrics.text(), HasSubstr("outcome=\"lost\",type=\"noop\""));
  const auto log = listen<log_reply>();
  caf::anon_send(aut, log_call{id, into(log)});
  run();
  EXPECT_THAT(log->front()->text,
              ContainsRegex("attempt 1 started on .*\n.*lost with its node"));
}

TEST_F(QueueLeasesTest, NoticesWhenTheStoreReachesMore) {
  ASSERT_EQ(status->reaches, store::durability::memory);
  faults->level = store::durability::replica;

  pass(2s);

  EXPECT_EQ(status->reaches, store::durability::replica);
}

TEST_F(QueueLeasesTest, KnowsTheTypesOfWhatAnEarlierLifeHandedOut) {
  adopts = false;
  join(1);
  submit();
  const held_job held{{lease().id, lease().fence}, "noop"};
  caf::anon_send_exit(aut, caf::exit_reason::kill);
  run();
  start();
  join(1, {held});

  settle(store::succeed_op{held.lease.id, held.lease.fence, "{}"});

  EXPECT_THAT(metrics.text(), HasSubstr("outcome=\"succeeded\",type=\"noop\""));
  EXPECT_THAT(metrics.text(), Not(HasSubstr("type=\"\"")));
}

TEST_F(QueueLeasesTest, MeasuresHowLongJobsRunAndTook) {
  join(1);
  submit();
  pass(5s);

  const auto depths = listen<std::vector<store::queue_depth>>();
  caf::anon_send(aut, depths_request{into(depths)});
  run();
  EXPECT_THAT(metrics.text(), HasSubstr("\ntroupe_queue_oldest_age_seconds{"
                                        "queue=\"bulk\",state=\"running\"} 5"));

  settle(store::succeed_op{lease().id, lease().fence, "{}"});
  caf::anon_send(aut, depths_request{into(depths)});
  run();
  EXPECT_THAT(metrics.text(), HasSubstr("\ntroupe_queue_oldest_age_seconds{"
                                        "queue=\"bulk\",state=\"running\"} 0"));
  EXPECT_THAT(metrics.text(),
              HasSubstr("troupe_job_seconds_bucket{outcome=\"succeeded\",type="
                        "\"noop\",le=\"15\"} 1"));
  EXPECT_THAT(metrics.text(),
              HasSubstr("troupe_job_seconds_bucket{outcome=\"succeeded\",type="
                        "\"noop\",le=\"1\"} 0"));
}

TEST_F(QueueLeasesTest, TellsEveryEventByTheClockOfTheStore) {
  store_ahead_ms = 3'600'000;
  advance(2s);
  join(1);
  const auto id = submit();
  settle(store::fail_op{id, lease().fence, "timeout", "", true, 100, {}}, 1);
  pass(20s);
  settle(store::succeed_op{id, lease(1).fence, "{}"});

  const auto first = get(id)->created_at;
  EXPECT_EQ(events(job_event_type::queued), 1u);
  ASSERT_GE(hub->events.size(), 6u);
  auto before = first;
  for (const auto& it : hub->events) {
    EXPECT_GE(it.time, before) << "event " << static_cast<int>(it.type);
    EXPECT_LT(it.time, first + 60'000) << static_cast<int>(it.type);
    before = it.time;
  }
  EXPECT_EQ(hub->events.back().time, get(id)->finished_at);
}

TEST_F(QueueLeasesTest, SettlesManyCallbacksWithOneWrite) {
  for (int i = 0; i < 3; ++i) {
    auto request = noop(listen<submit_reply>());
    request.op.draft.callback_url = "https://example.com/";
    caf::anon_send(aut, std::move(request));
  }
  run();
  const auto page = store->list({}).value();
  for (const auto& job : page.jobs)
    command(job_command_kind::cancel, job.id);
  const auto due = store->take_callbacks(10).value();
  ASSERT_THAT(due, SizeIs(3));
  const auto before = faults->writes;

  for (const auto& it : due)
    caf::anon_send(
      aut, store::callback_settlement{it.id, it.token,
                                      store::callback_outcome::dead, 0, "410"});
  run();

  EXPECT_EQ(faults->writes, before + 1);
  EXPECT_THAT(store->dead_callbacks({}, 10).value(), SizeIs(3));
}

TEST_F(QueueLeasesTest, NoticesByALogThatTheStoreIsAway) {
  const auto id = submit();
  faults->away = true;
  const auto replies = listen<log_reply>();

  caf::anon_send(aut, log_call{id, into(replies)});
  run();

  ASSERT_EQ(replies->size(), 1u);
  EXPECT_EQ(replies->front().error().code, store::errc::unavailable);
  EXPECT_FALSE(status->store_up);
}

} // namespace
} // namespace troupe::actors
