#include "tests/actors/queue_fixture.hpp"
#include "tests/store/scratch_folder.hpp"

#include <gmock/gmock.h>

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
    spool = *store::spool::open(path, max_bytes);
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

TEST_F(AwayTest, ADelayGoesOnWhileItWaits) {
  faults->away = true;
  auto op = plain();
  op.draft.delay_ms = 100'000;
  const auto first = send(std::move(op))->front();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->job->state, store::job_state::scheduled);
  auto waits = spool->read().value();
  ASSERT_EQ(waits.size(), 1u);
  auto& spooled = std::get<store::submit_op>(waits[0].op);
  EXPECT_EQ(spooled.draft.run_at, 0);

  come_back();
  forget(first->job->id);
  spooled.draft.id += "2";
  spooled.since.up_ms -= 60'000;
  ASSERT_TRUE(store->apply(std::vector<store::operation>{spooled}));

  const auto stored = store->get(spooled.draft.id);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->state, store::job_state::scheduled);
  EXPECT_LE(stored->run_at - stored->created_at, 40'000);
  EXPECT_GT(stored->run_at - stored->created_at, 30'000);
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
  op.asked = store::durability::disk;

  const auto replies = send(std::move(op));

  EXPECT_EQ(replies->front().error().code, errc::durability_unavailable);
  EXPECT_EQ(spool->size(), 1u);
}

TEST_F(AwayTest, TakesWhatMustBeStoredNoSaferThanHere) {
  faults->away = true;
  for (const auto level :
       {store::durability::memory, store::durability::interval,
        store::durability::local}) {
    auto op = plain();
    op.strict = true;
    op.asked = level;

    const auto replies = send(std::move(op));

    ASSERT_TRUE(replies->front());
    EXPECT_EQ(replies->front()->job->reached, store::durability::local);
  }
}

TEST_F(AwayTest, TakesBackWhatMustBeStoredSafelyAndMayHaveBeen) {
  faults->answer_lost = true;
  auto op = plain();
  op.strict = true;
  op.asked = store::durability::disk;

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

} // namespace
} // namespace troupe::actors
