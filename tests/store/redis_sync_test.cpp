#include "actors/store/redis_sync.hpp"
#include "tests/store/redis_test.hpp"

#include <chrono>
#include <csignal>
#include <thread>

namespace troupe::store::testing {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

redis_log_facts facts_at(timestamp_ms now, bool idle = true) {
  return {"life", now, true, true, idle};
}

TEST(RedisSync, IsSureAfterASyncThatBeganTwoSecondsLater) {
  sync_watch watch;

  EXPECT_FALSE(look_again(watch, facts_at(10'000)));
  EXPECT_FALSE(look_again(watch, facts_at(11'999)));
  EXPECT_FALSE(look_again(watch, facts_at(12'000, false)));
  EXPECT_FALSE(look_again(watch, facts_at(14'000, false)));
  EXPECT_TRUE(look_again(watch, facts_at(14'100)));
}

TEST(RedisSync, CountsFromALookThatFoundNothingUnwritten) {
  sync_watch watch;

  EXPECT_FALSE(look_again(watch, facts_at(10'000, false)));
  EXPECT_FALSE(look_again(watch, facts_at(12'000)));
  EXPECT_FALSE(look_again(watch, facts_at(13'000)));
  EXPECT_FALSE(look_again(watch, facts_at(14'000)));
  EXPECT_TRUE(look_again(watch, facts_at(14'001)));
}

TEST(RedisSync, BeginsAnewWhenSyncsFail) {
  sync_watch watch;
  auto failing = facts_at(12'500);
  failing.syncs = false;
  static_cast<void>(look_again(watch, facts_at(10'000)));
  static_cast<void>(look_again(watch, facts_at(12'000)));

  EXPECT_FALSE(look_again(watch, failing));
  EXPECT_FALSE(look_again(watch, facts_at(13'000)));
  EXPECT_FALSE(look_again(watch, facts_at(13'100)));
}

TEST(RedisSync, ReadsWhatAServerSays) {
  const auto facts = read_log_facts(
    "# Server\r\nrun_id:abc\r\nserver_time_usec:1700000000123456\r\n"
    "# Persistence\r\nrdb_bgsave_in_progress:0\r\naof_enabled:1\r\n"
    "aof_rewrite_in_progress:0\r\naof_last_write_status:ok\r\n"
    "aof_buffer_length:0\r\naof_pending_bio_fsync:1\r\n");

  EXPECT_EQ(facts.life, "abc");
  EXPECT_EQ(facts.now, 1'700'000'000'123);
  EXPECT_TRUE(facts.has_log);
  EXPECT_TRUE(facts.syncs);
  EXPECT_FALSE(facts.idle);
}

class RedisSynced : public RedisTest {
protected:
  RedisSynced() {
    // As the program does: a dead Redis is an error of a call.
    std::signal(SIGPIPE, SIG_IGN);
  }

  /// How long it takes until what was told is safe; nothing: too long.
  static std::optional<clock::duration> safe_after(job_store& store,
                                                   clock::duration limit) {
    const auto begun = clock::now();
    sync_watch watch;
    while (!must(store.synced(watch))) {
      if (clock::now() - begun > limit)
        return std::nullopt;
      std::this_thread::sleep_for(20ms);
    }
    return clock::now() - begun;
  }
};

TEST_F(RedisSynced, WhatIsSyncedEverySecondIsSafeAfterTwo) {
  const auto store = open();
  apply(*store, submit_op{draft("a"), {}});

  const auto took = safe_after(*store, 20s);

  ASSERT_TRUE(took);
  EXPECT_GE(*took, 2s);
}

TEST_F(RedisSynced, AnotherLifeIsNotWhatWasWatched) {
  const auto store = open();
  apply(*store, submit_op{draft("a"), {}});
  const auto life = store->life();
  sync_watch watch;
  EXPECT_FALSE(must(store->synced(watch)));
  server_.kill();
  server_.start();

  const auto until = clock::now() + 10s;
  while (!store->get("a"))
    ASSERT_LT(clock::now(), until);
  const auto answer = store->synced(watch);

  EXPECT_FALSE(life.empty());
  EXPECT_NE(store->life(), life);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, errc::unavailable);
}

TEST(RedisSyncedAlways, WhatIsSyncedAtOnceIsSafeAtOnce) {
  redis_server server{{.fsync = "always", .tcp = false, .more = {}}};
  store_options options;
  options.url = server.url();
  const auto store = must(open_redis_store(options));
  sync_watch watch;

  EXPECT_TRUE(must(store->synced(watch)));
}

TEST(RedisSyncedReplica, WaitsForAReplicaThatIsThere) {
  redis_server master{{.fsync = "always", .tcp = true, .more = {}}};
  redis_server copy{
    {.fsync = "everysec",
     .tcp = true,
     .more = {"--replicaof", "127.0.0.1", std::to_string(master.port())}}};
  store_options options;
  options.url = master.url();
  const auto store = must(open_redis_store(options));
  const auto sees_copy = [&] {
    return master.command({"INFO", "replication"}).find("state=online")
           != std::string::npos;
  };
  const auto until = clock::now() + 20s;
  while (!sees_copy())
    ASSERT_LT(clock::now(), until);
  sync_watch watch;
  while (!must(store->synced(watch)))
    ASSERT_LT(clock::now(), until);

  copy.freeze();
  const auto safe = store->synced(watch);
  copy.thaw();

  EXPECT_FALSE(must(safe));
}

} // namespace
} // namespace troupe::store::testing
