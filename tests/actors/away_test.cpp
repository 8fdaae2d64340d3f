#include "actors/store/shared_store.hpp"
#include "tests/actors/queue_fixture.hpp"
#include "tests/store/scratch_folder.hpp"

#include <caf/actor_system_config.hpp>

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

/// A store that goes away: what waits, where, and what becomes of it.
namespace troupe::actors {
namespace {

using namespace testing;
using ::testing::HasSubstr;

class AwayTest : public QueueTest {
protected:
  AwayTest() {
    open_spool(1u << 20);
  }

  void open_spool(std::uint64_t max_bytes) {
    const auto path = (folder.path() / "spool.db").string();
    spool = std::move(*store::spool::open(path, max_bytes));
  }

  static store::submit_op plain(std::string key = {}) {
    return noop(listen<submit_reply>(), std::move(key)).op;
  }

  heard<submit_reply> send(store::submit_op op) {
    const auto replies = listen<submit_reply>();
    caf::anon_send(aut, submit_request{std::move(op), into(replies)});
    run();
    return replies;
  }

  submit_reply submit_ok(std::string unique_key = {}, std::string key = {}) {
    auto op = plain(std::move(key));
    op.draft.unique_key = std::move(unique_key);
    const auto replies = send(std::move(op));
    EXPECT_EQ(replies->size(), 1u);
    EXPECT_TRUE(replies->front()) << replies->front().error().message();
    return *replies->front();
  }

  void come_back() {
    faults->away = false;
    advance(5s);
  }

  /// The store's server has lost it.
  void forget(const std::string& id) {
    const store::operation ops[] = {store::cancel_op{id}, store::purge_op{id}};
    ASSERT_TRUE(store->apply(ops));
  }

  store::testing::scratch_folder folder;
};

TEST_F(AwayTest, TakesSubmitsAndStoresThemLater) {
  faults->away = true;
  const auto first = submit_ok();
  const auto second = submit_ok();

  EXPECT_TRUE(first.created);
  EXPECT_EQ(first.job->reached, store::durability::local);
  EXPECT_EQ(get(first.job->id)->state, store::job_state::queued);
  EXPECT_EQ(spool->size(), 2u);
  EXPECT_EQ(status->reaches, store::durability::local);
  EXPECT_FALSE(store->get(first.job->id));

  come_back();

  EXPECT_EQ(store->get(first.job->id)->state, store::job_state::queued);
  EXPECT_TRUE(store->get(second.job->id));
  EXPECT_EQ(spool->size(), 0u);
  EXPECT_EQ(spool->bytes(), 0u);
  EXPECT_EQ(events(job_event_type::created), 2u);
  EXPECT_EQ(status->reaches, store->level());
}

TEST_F(AwayTest, SpoolsTheSubmitWhoseAnswerWasLostAndStoresItOnce) {
  faults->answer_lost = true;

  const auto it = submit_ok("key");
  EXPECT_EQ(it.job->reached, store::durability::local);
  advance(5s);

  EXPECT_EQ(store->get(it.job->id)->state, store::job_state::queued);
  EXPECT_EQ(store->list({})->jobs.size(), 1u);
}

TEST_F(AwayTest, RefusesWhatMustBeStoredSafely) {
  faults->away = true;
  submit_ok();
  auto op = plain();
  op.strict = true;

  const auto replies = send(std::move(op));

  EXPECT_EQ(replies->front().error().code, errc::durability_unavailable);
  EXPECT_EQ(spool->size(), 1u);
}

TEST_F(AwayTest, TakesBackWhatMustBeStoredSafelyAndMayHaveBeen) {
  faults->answer_lost = true;
  auto op = plain();
  op.strict = true;

  const auto replies = send(std::move(op));
  EXPECT_EQ(replies->front().error().code, errc::durability_unavailable);
  advance(5s);

  EXPECT_TRUE(store->list({})->jobs.empty());
}

TEST_F(AwayTest, AnswersRepeatedSubmitsAsBefore) {
  faults->away = true;
  const auto first = submit_ok("unique", "key");

  const auto again = submit_ok("unique", "key");
  const auto same = submit_ok("unique");
  auto other = plain("key");
  other.idempotency.body_hash = "another";
  const auto refused = send(std::move(other));

  EXPECT_TRUE(again.replayed);
  EXPECT_EQ(again.job->id, first.job->id);
  EXPECT_FALSE(same.created);
  EXPECT_EQ(same.job->id, first.job->id);
  EXPECT_EQ(refused->front().error().code, store::errc::idempotency_mismatch);
  EXPECT_EQ(spool->size(), 1u);
}

TEST_F(AwayTest, EndsADuplicateOfWhatCameMeanwhile) {
  faults->away = true;
  const auto late = submit_ok("key");
  store::submit_op op;
  op.draft.id = "elsewhere";
  op.draft.queue = "bulk";
  op.draft.unique_key = "key";
  const store::operation by_another[] = {op};
  ASSERT_TRUE(store->apply(by_another));

  come_back();

  const auto job = store->get(late.job->id);
  ASSERT_TRUE(job);
  EXPECT_EQ(job->state, store::job_state::cancelled);
  ASSERT_EQ(job->errors.size(), 1u);
  EXPECT_EQ(job->errors[0].code, "duplicate");
  EXPECT_EQ(store->get("elsewhere")->state, store::job_state::queued);
  EXPECT_EQ(events(job_event_type::cancelled), 1u);
}

TEST_F(AwayTest, IsBoundedInSizeForSubmitsButNotForOutcomes) {
  join(1);
  submit();
  open_spool(64);
  caf::anon_send_exit(aut, caf::exit_reason::kill);
  run();
  adopts = false;
  start();
  pool->leases.resize(1);
  join(0, {held_job{{lease().id, lease().fence}, "noop"}});
  faults->away = true;

  const auto replies = send(plain());
  const auto verdict =
    settle(store::succeed_op{lease().id, lease().fence, "{}"});
  EXPECT_EQ(replies->front().error().code, store::errc::unavailable);
  EXPECT_EQ(spool->size(), 1u);
  come_back();

  EXPECT_EQ((*verdict)->verdicts.at(0).error, store::errc::none);
  EXPECT_EQ(store->get(lease().id)->state, store::job_state::succeeded);
}

TEST_F(AwayTest, GoesOnWithItsSpoolAfterARestart) {
  join(1);
  const auto id = submit();
  faults->away = true;
  const auto waits = submit_ok("key");
  const auto verdict = settle(store::succeed_op{id, lease().fence, "{}"});
  EXPECT_FALSE(*verdict);
  caf::anon_send_exit(aut, caf::exit_reason::kill);
  run();
  open_spool(1u << 20);

  start();
  EXPECT_EQ(get(waits.job->id)->reached, store::durability::local);
  EXPECT_EQ(submit_ok("key").job->id, waits.job->id);
  come_back();

  EXPECT_EQ(store->get(waits.job->id)->state, store::job_state::queued);
  // Its outcome came before the earlier life's leases were taken back.
  EXPECT_EQ(store->get(id)->state, store::job_state::succeeded);
  EXPECT_EQ(store->get(id)->losses, 0u);
  EXPECT_EQ(spool->size(), 0u);
}

// -- what the store may lose yet ----------------------------------------------

TEST_F(AwayTest, KeepsWhatItHandedOverUntilTheStoreHasSyncedIt) {
  faults->away = true;
  submit_ok();
  submit_ok();
  faults->synced = false;
  come_back();

  EXPECT_EQ(store->list({})->jobs.size(), 2u);
  EXPECT_EQ(spool->kept().size, 2u);
  EXPECT_EQ(status->spooled, 0u);
  EXPECT_EQ(status->kept, 2u);
  EXPECT_THAT(metrics.text(), HasSubstr("\ntroupe_spool_kept_operations 2\n"));

  faults->synced = true;
  advance(2s);

  EXPECT_EQ(spool->size(), 0u);
  EXPECT_EQ(status->kept, 0u);
}

TEST_F(AwayTest, HandsOverAgainWhatAnotherLifeOfTheStoreHasLost) {
  faults->away = true;
  const auto lost = submit_ok();
  const auto stayed = submit_ok();
  faults->synced = false;
  come_back();
  ASSERT_EQ(events(job_event_type::created), 2u);
  forget(lost.job->id);
  faults->life = "another";

  advance(2s);

  EXPECT_EQ(store->get(lost.job->id)->state, store::job_state::queued);
  EXPECT_EQ(store->list({})->jobs.size(), 2u);
  EXPECT_EQ(events(job_event_type::created), 3u);
  EXPECT_EQ(spool->kept().size, 2u);
  EXPECT_EQ(spool->kept().life, "another");
}

TEST_F(AwayTest, DoesNotBringBackWhatWasPurged) {
  faults->away = true;
  const auto gone = submit_ok();
  faults->synced = false;
  come_back();
  ASSERT_TRUE(command(job_command_kind::cancel, gone.job->id));
  command(job_command_kind::purge, gone.job->id);
  faults->life = "another";

  advance(2s);

  EXPECT_FALSE(store->get(gone.job->id));
}

TEST_F(AwayTest, HandsOverAgainInItsNextLifeToo) {
  faults->away = true;
  const auto lost = submit_ok();
  faults->synced = false;
  come_back();
  caf::anon_send_exit(aut, caf::exit_reason::kill);
  run();
  forget(lost.job->id);
  open_spool(1u << 20);
  EXPECT_EQ(spool->kept().size, 1u);

  start();
  advance(2s);
  EXPECT_FALSE(store->get(lost.job->id)) << "the life in which it was told";
  faults->life = "another";
  advance(2s);

  EXPECT_EQ(store->get(lost.job->id)->state, store::job_state::queued);
}

// -- leases -------------------------------------------------------------------

TEST_F(AwayTest, TakesBackAClaimWhoseAnswerWasLostAtNoCost) {
  const auto id = submit();
  faults->claim_lost = true;
  join(1);
  EXPECT_EQ(store->get(id)->state, store::job_state::running);
  EXPECT_TRUE(pool->leases.empty());

  advance(5s);

  ASSERT_EQ(pool->leases.size(), 1u);
  EXPECT_EQ(store->get(id)->losses, 0u);
  EXPECT_EQ(store->get(id)->attempt, 1u);
}

TEST_F(AwayTest, SeesACancellationByAnotherServerWithinASecond) {
  join(1);
  const auto id = submit();
  const store::operation elsewhere[] = {store::cancel_op{id}};
  ASSERT_TRUE(store->apply(elsewhere));

  advance(1s);

  ASSERT_EQ(pool->revoked.size(), 1u);
  EXPECT_EQ(pool->revoked[0].why, media::errc::cancelled);
}

TEST_F(AwayTest, EndsAnAttemptWithoutSignsOfLife) {
  join(2);
  const auto silent = submit();
  const auto lively = submit();
  for (int i = 0; i < 40; ++i) {
    advance(1s);
    board->hear(lively, lease(1).fence, sched.clock().now());
  }

  ASSERT_EQ(pool->revoked.size(), 1u);
  EXPECT_EQ(pool->revoked[0].id, silent);
  EXPECT_EQ(pool->revoked[0].why, media::errc::node_lost);
}

TEST_F(AwayTest, AsksNoSignsOfLifeOfAnOutcomeThatWaits) {
  join(1);
  const auto id = submit();
  board->rest(id, lease().fence);

  for (int i = 0; i < 100; ++i)
    advance(1s);

  EXPECT_TRUE(pool->revoked.empty());
}

// -- on real threads ----------------------------------------------------------

/// A store whose writes take long; other handles to it are not concerned.
class slow_store final : public flaky_store {
public:
  slow_store(std::shared_ptr<store::job_store> inner,
             std::chrono::milliseconds pause)
    : flaky_store(std::move(inner), std::make_shared<store_faults>()),
      pause_(pause) {}
  result<std::vector<store::applied>>
  apply(std::span<const store::operation> ops) override {
    std::this_thread::sleep_for(pause_);
    return flaky_store::apply(ops);
  }

private:
  std::chrono::milliseconds pause_;
};

class ThreadsTest : public ::testing::Test {
protected:
  using store_ptr = std::shared_ptr<store::job_store>;
  static constexpr auto lease_time = 300ms;

  ThreadsTest() {
    config.add_message_types<caf::id_block::troupe>();
    sys = std::make_unique<caf::actor_system>(config);
    store::store_options options;
    options.url = "memory:";
    options.lease_ms = lease_time.count();
    core->store = std::move(*store::open_store(options));
  }

  ~ThreadsTest() override {
    for (const auto& it : everybody)
      caf::anon_send_exit(it, caf::exit_reason::kill);
    everybody.clear();
  }

  store_ptr handle() {
    return std::make_shared<store::shared_store>(core);
  }

  void start() {
    const auto board = std::make_shared<lease_board>();
    queue_options plan;
    plan.node = "n1";
    plan.lease_ms = lease_time.count();
    plan.board = board;
    plan.open = [this]() -> result<std::unique_ptr<store::job_store>> {
      return std::make_unique<slow_store>(handle(), 3 * lease_time);
    };
    aut = sys->spawn<caf::detached>(queue, plan);
    renewer_options renews;
    renews.lease_ms = lease_time.count();
    renews.board = board;
    renews.open = [this]() -> result<std::unique_ptr<store::job_store>> {
      return std::make_unique<store::shared_store>(core);
    };
    const renewer_actor other = sys->spawn<caf::detached>(renewer, renews);
    const manager_actor pool =
      sys->spawn(fake_manager, std::make_shared<manager_script>());
    for (const auto& to :
         {caf::actor_cast<caf::actor>(aut), caf::actor_cast<caf::actor>(other),
          caf::actor_cast<caf::actor>(pool)})
      everybody.push_back(to);
    caf::anon_send(other, wiring{aut, {}, {}});
    caf::anon_send(aut, announce{{"bulk", 1}, {}, pool});
  }

  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> sys;
  std::shared_ptr<store::shared_store::core> core =
    std::make_shared<store::shared_store::core>();
  queue_actor aut;
  std::vector<caf::actor> everybody;
};

TEST_F(ThreadsTest, RenewsWhileTheQueueIsBusyForThreeLeases) {
  store::submit_op op;
  op.draft.id = "job";
  op.draft.queue = "bulk";
  const store::operation one[] = {op};
  const auto mine = handle();
  ASSERT_TRUE(mine->apply(one));
  start();
  const auto limit = std::chrono::steady_clock::now() + 10s;
  while (mine->get("job")->state != store::job_state::running)
    ASSERT_LT(std::chrono::steady_clock::now(), limit);

  auto done = std::make_shared<std::atomic<bool>>(false);
  caf::anon_send(aut, job_command{job_command_kind::cancel, "none",
                                  answer<store::job>{[done](const auto&) {
                                    *done = true;
                                  }}});
  std::size_t expired = 0;
  while (!*done) {
    ASSERT_LT(std::chrono::steady_clock::now(), limit);
    const auto swept = mine->sweep({});
    expired += swept->expired.size();
    std::this_thread::yield();
  }

  EXPECT_EQ(expired, 0u);
  EXPECT_EQ(mine->get("job")->state, store::job_state::running);
  EXPECT_EQ(mine->get("job")->fence.epoch, 1u);
}

} // namespace
} // namespace troupe::actors
