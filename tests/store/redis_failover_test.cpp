#include "actors/store/redis_store.hpp"
#include "actors/store/redis_url.hpp"
#include "tests/store/redis_server.hpp"
#include "tests/store/stalling_proxy.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <thread>

/// Servers that stop, are cut off, or are replaced by a replica of theirs.
namespace troupe::store::testing {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

std::unique_ptr<job_store> open_at(const std::string& url) {
  store_options options;
  options.url = url;
  options.timeout_ms = 700;
  auto store = open_redis_store(options);
  if (!store)
    throw std::runtime_error(store.error().message());
  return std::move(*store);
}

std::string at_port(int port) {
  return "127.0.0.1:" + std::to_string(port);
}

result<applied> submit(job_store& store, const std::string& id,
                       durability asked = durability::memory) {
  submit_op op;
  op.draft.id = id;
  op.draft.type = "noop";
  op.draft.queue = "bulk";
  op.asked = asked;
  const operation ops[] = {op};
  auto answers = store.apply(ops);
  if (!answers)
    return answers.error();
  return std::move(answers->front());
}

/// Submits until a replica has acknowledged one in time; its id.
std::string submit_replicated(job_store& store) {
  const auto deadline = clock::now() + 20s;
  for (int i = 0; clock::now() < deadline; ++i) {
    const auto id = "replicated" + std::to_string(i);
    const auto asked = submit(store, id, durability::replica);
    if (asked && asked->job.reached == durability::replica)
      return id;
  }
  return {};
}

bool is_served_again(job_store& store, const std::string& id) {
  const auto deadline = clock::now() + 20s;
  while (clock::now() < deadline) {
    if (submit(store, id))
      return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

redis_server_options replica_of(const redis_server& master) {
  return {.fsync = "everysec",
          .tcp = true,
          .more = {"--replicaof", "127.0.0.1", std::to_string(master.port())}};
}

/// What a server answers; nothing while it changes its role.
std::string said_by(const redis_server& server,
                    const std::vector<std::string>& command) {
  try {
    return server.command(command);
  } catch (const std::runtime_error&) {
    return {};
  }
}

bool shows(const redis_server& server, std::string_view what) {
  return said_by(server, {"INFO", "replication"}).find(what)
         != std::string::npos;
}

/// Until each of the two knows that the other is there.
void await_link(const redis_server& master, const redis_server& replica) {
  const auto deadline = clock::now() + 20s;
  while (!shows(replica, "master_link_status:up")
         || !shows(master, "state=online")) {
    ASSERT_LT(clock::now(), deadline);
    std::this_thread::sleep_for(5ms);
  }
}

redis_server_options sentinel_of(const redis_server& master) {
  redis_server_options options{.fsync = "", .tcp = true, .more = {}};
  options.sentinel = "sentinel monitor jobs 127.0.0.1 "
                     + std::to_string(master.port())
                     + " 1\n"
                       "sentinel down-after-milliseconds jobs 300\n"
                       "sentinel failover-timeout jobs 2000\n";
  return options;
}

/// Not before the Sentinel knows that the replica is fit.
bool fails_over(const redis_server& sentinel) {
  try {
    sentinel.command({"SENTINEL", "FAILOVER", "jobs"});
    return true;
  } catch (const std::runtime_error&) {
    std::this_thread::sleep_for(50ms);
    return false;
  }
}

const redis_server_options tcp{.fsync = "everysec",
                               .tcp = true,
                               .more = {"--repl-diskless-sync-delay", "0"}};

TEST(RedisFailover, NoticesAHalfOpenConnectionWithinASecond) {
  const redis_server server{tcp};
  stalling_proxy proxy{server.port()};
  auto store = open_at("redis://" + at_port(proxy.port()) + "/0");
  ASSERT_TRUE(submit(*store, "a"));

  proxy.stall(true);
  const auto begin = clock::now();
  const auto said = submit(*store, "b");
  const auto waited = clock::now() - begin;

  ASSERT_FALSE(said);
  EXPECT_EQ(said.error().code, errc::unavailable);
  EXPECT_LT(waited, 1s);
  proxy.stall(false);
  EXPECT_TRUE(is_served_again(*store, "c"));
}

TEST(RedisFailover, WaitsForAReplicaIfAsked) {
  const redis_server master{tcp};
  auto alone = open_at(master.url());
  EXPECT_EQ(submit(*alone, "a", durability::replica)->job.reached,
            durability::interval);
  const redis_server replica{replica_of(master)};
  await_link(master, replica);

  auto store = open_at(master.url());
  const auto safe = submit_replicated(*store);
  const auto other = submit(*store, "c");

  EXPECT_EQ(store->level(), durability::replica);
  ASSERT_NE(safe, "");
  EXPECT_EQ(store->get(safe)->reached, durability::replica);
  EXPECT_EQ(other->job.reached, durability::interval);
}

TEST(RedisFailover, SaysTheTruthOfAReplicaThatLags) {
  const redis_server master{tcp};
  redis_server replica{replica_of(master)};
  await_link(master, replica);
  auto store = open_at(master.url());

  replica.freeze();
  const auto asked = submit(*store, "a", durability::replica);
  replica.thaw();

  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->job.reached, durability::interval);
}

/// A batch that is to be on a replica; with a key, and a job that waits.
result<batch_submitted> submit_family(job_store& store, const std::string& id,
                                      std::size_t size) {
  batch_draft family;
  family.id = id;
  family.asked = family.required = durability::replica;
  std::vector<job_draft> jobs(size);
  for (std::size_t i = 0; i < size; ++i) {
    jobs[i].id = id + "." + std::to_string(i);
    jobs[i].type = jobs[i].queue = "bulk";
  }
  jobs.front().depends_on = {jobs.back().id};
  return store.submit_batch(family, jobs, {"scope of " + id, "hash"});
}

TEST(RedisFailover, TakesABatchBackThatReachedNoReplica) {
  const redis_server master{tcp};
  redis_server replica{replica_of(master)};
  await_link(master, replica);
  auto store = open_at(master.url());

  for (const std::size_t size : {3, 300}) {
    const auto id = "b" + std::to_string(size);
    replica.freeze();
    const auto refused = submit_family(*store, id, size);
    replica.thaw();

    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, errc::not_durable);
    EXPECT_FALSE(store->get_batch(id));
    EXPECT_TRUE(store->list({})->jobs.empty());
    while (store->follow({"node", 1, 15'000, 256})->more)
      continue;
    EXPECT_EQ(master.command({"HLEN", "{troupe}:records"}), "0");
  }
}

TEST(RedisFailover, SaysWhatABatchHasReached) {
  const redis_server master{tcp};
  const redis_server replica{replica_of(master)};
  await_link(master, replica);
  auto store = open_at(master.url());
  const auto deadline = clock::now() + 20s;
  auto done = submit_family(*store, "b1", 300);
  while (!done && clock::now() < deadline)
    done = submit_family(*store, "b1", 300); // under the same key

  ASSERT_TRUE(done);
  EXPECT_FALSE(done->replayed);
  EXPECT_EQ(store->get("b1.0")->reached, durability::replica);
  EXPECT_EQ(store->get("b1.299")->reached, durability::replica);
  EXPECT_TRUE(submit_family(*store, "b1", 300)->replayed);
}

TEST(RedisFailover, FollowsAPromotedReplica) {
  redis_server master{tcp};
  const redis_server replica{replica_of(master)};
  await_link(master, replica);
  const redis_server sentinel{sentinel_of(master)};
  auto store = open_at("redis+sentinel://127.0.0.1:1,"
                       + at_port(sentinel.port()) + "/jobs/0");
  const auto safe = submit_replicated(*store);
  ASSERT_NE(safe, "");
  // A Sentinel has to have heard of the replica.
  const auto deadline = clock::now() + 20s;
  while (said_by(sentinel, {"SENTINEL", "REPLICAS", "jobs"}).empty())
    ASSERT_LT(clock::now(), deadline);

  master.kill();
  const auto said = submit(*store, "b");

  EXPECT_EQ(said.error().code, errc::unavailable);
  EXPECT_TRUE(is_served_again(*store, "c"));
  EXPECT_TRUE(store->get(safe));
  EXPECT_NE(replica.command({"INFO", "replication"}).find("role:master"),
            std::string::npos);
}

TEST(RedisFailover, LeavesAMasterThatIsNoneAnyMore) {
  const redis_server master{tcp};
  const redis_server replica{replica_of(master)};
  await_link(master, replica);
  const redis_server sentinel{sentinel_of(master)};
  auto store =
    open_at("redis+sentinel://" + at_port(sentinel.port()) + "/jobs");
  ASSERT_TRUE(submit(*store, "a"));
  const auto deadline = clock::now() + 20s;
  while (said_by(sentinel, {"SENTINEL", "REPLICAS", "jobs"}).empty())
    ASSERT_LT(clock::now(), deadline);

  while (!fails_over(sentinel))
    ASSERT_LT(clock::now(), deadline);
  while (!shows(replica, "role:master"))
    ASSERT_LT(clock::now(), deadline);
  EXPECT_TRUE(is_served_again(*store, "b"));

  const auto stored = [&] {
    return said_by(replica, {"HEXISTS", "{troupe}:jobs", "b"}) == "1";
  };
  while (!stored() && clock::now() < deadline)
    is_served_again(*store, "b");
  EXPECT_TRUE(stored());
}

TEST(RedisFailover, DoesNotWorkOnAReplica) {
  const redis_server master{tcp};
  const redis_server replica{replica_of(master)};
  await_link(master, replica);
  store_options options;
  options.url = replica.url();

  const auto store = open_redis_store(options);

  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, errc::unavailable);
}

TEST(RedisUrl, NamesSentinels) {
  const auto it =
    read_redis_url("redis+sentinel://me:p%40ss@a:1,[::1]:2,c/jobs/3").value();

  EXPECT_EQ(it.user, "me");
  EXPECT_EQ(it.password, "p@ss");
  EXPECT_EQ(it.master, "jobs");
  EXPECT_EQ(it.database, 3u);
  ASSERT_EQ(it.sentinels.size(), 3u);
  EXPECT_EQ(it.sentinels[1], (redis_endpoint{"::1", 2}));
  EXPECT_EQ(it.sentinels[2], (redis_endpoint{"c", 26379}));
  EXPECT_EQ(read_redis_url("redis+unix:///run/r.sock?db=1")->socket,
            "/run/r.sock");
  for (const auto* url :
       {"redis+sentinel://", "redis+sentinel://a:1", "redis+sentinel://a:1/",
        "redis+sentinel:///jobs", "redis+sentinel://a:x/jobs",
        "redis+sentinel://a:1,/jobs", "redis+sentinel://a:1/jobs/x"})
    EXPECT_FALSE(read_redis_url(url)) << url;
}

} // namespace

} // namespace troupe::store::testing
