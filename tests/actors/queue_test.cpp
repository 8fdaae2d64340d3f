#include "actors/extract.hpp"
#include "actors/queue.hpp"
#include "tests/actor_fixture.hpp"
#include "tests/actors/fakes.hpp"
#include "tests/actors/flaky_store.hpp"

#include <caf/send.hpp>

#include <optional>

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;
using namespace testing;

template <class T>
using heard = std::shared_ptr<std::vector<result<T>>>;

template <class T>
heard<T> listen() {
  return std::make_shared<std::vector<result<T>>>();
}

template <class T>
answer<T> into(const heard<T>& all) {
  return answer<T>{[all](result<T> outcome) {
    all->push_back(std::move(outcome));
  }};
}

class QueueTest : public troupe::testing::ActorTest {
protected:
  QueueTest() {
    store::store_options options;
    options.url = "memory:";
    options.lease_ms = 15000;
    store = std::move(*store::open_store(options));
    hub->order = &order;
    pool->order = &order;
    start();
  }

  ~QueueTest() override {
    for (const auto& it : everybody)
      caf::anon_send_exit(it, caf::exit_reason::kill);
    run();
  }

  void start() {
    queue_options options;
    options.node = "n1";
    options.open = [this]() -> result<std::unique_ptr<store::job_store>> {
      return std::make_unique<flaky_store>(store, faults);
    };
    options.status = status;
    aut = keep(sys.spawn(queue, options));
    run();
    caf::anon_send(aut, wiring{aut, {}, hub_handle()});
    run();
  }

  template <class Handle>
  Handle keep(Handle it) {
    everybody.push_back(caf::actor_cast<caf::actor>(it));
    return it;
  }

  hub_actor hub_handle() {
    if (!hub_)
      hub_ = keep(sys.spawn(fake_hub, hub));
    return hub_;
  }

  manager_actor join(std::uint32_t slots,
                     std::vector<store::held_lease> held = {}) {
    auto it = keep(sys.spawn(fake_manager, pool));
    caf::anon_send(aut, announce{{"bulk", slots}, std::move(held), it});
    run();
    return it;
  }

  static submit_request noop(const heard<submit_reply>& replies,
                             std::string key = {}) {
    submit_request request;
    request.op.draft.type = "noop";
    request.op.draft.queue = "bulk";
    request.op.idempotency = {std::move(key), "hash"};
    request.reply = into(replies);
    return request;
  }

  std::string submit() {
    const auto replies = listen<submit_reply>();
    caf::anon_send(aut, noop(replies));
    run();
    return replies->size() == 1 && replies->front() ? replies->front()->job.id
                                                    : std::string{};
  }

  result<store::job> command(job_command_kind kind, const std::string& id) {
    const auto replies = listen<store::job>();
    caf::anon_send(aut, job_command{kind, id, into(replies)});
    run();
    return replies->size() == 1 ? replies->front()
                                : result<store::job>{fail(errc::deadline)};
  }

  result<store::job> get(const std::string& id) {
    const auto replies = listen<store::job>();
    caf::anon_send(aut, get_request{id, into(replies)});
    run();
    return replies->size() == 1 ? replies->front()
                                : result<store::job>{fail(errc::deadline)};
  }

  /// Asks to settle; the verdicts come into the result when they come.
  std::shared_ptr<std::optional<settle_reply>> settle(store::operation op,
                                                      std::uint32_t freed = 0) {
    auto out = std::make_shared<std::optional<settle_reply>>();
    auto asker = [out](caf::event_based_actor* me, queue_actor to,
                       settle_request request) {
      me->request(to, caf::infinite, std::move(request))
        .then([out](settle_reply& reply) { *out = std::move(reply); },
              [](const caf::error&) {});
    };
    settle_request request;
    request.ops.push_back(std::move(op));
    request.freed = {"bulk", freed};
    keep(sys.spawn(asker, queue_actor{aut}, std::move(request)));
    run();
    return out;
  }

  [[nodiscard]] std::size_t events(job_event_type type) const {
    return static_cast<std::size_t>(std::ranges::count(
      hub->events, type, [](const job_event& it) { return it.type; }));
  }

  const store::job& lease(std::size_t batch = 0, std::size_t at = 0) const {
    return pool->leases.at(batch).jobs.at(at);
  }

  std::shared_ptr<store::job_store> store;
  std::shared_ptr<store_faults> faults = std::make_shared<store_faults>();
  std::shared_ptr<queue_status> status = std::make_shared<queue_status>();
  std::shared_ptr<hub_script> hub = std::make_shared<hub_script>();
  std::shared_ptr<manager_script> pool = std::make_shared<manager_script>();
  journal order;
  std::vector<caf::actor> everybody;
  hub_actor hub_;
  queue_impl aut;
};

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
  EXPECT_EQ(get(id)->losses, 0u);
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
