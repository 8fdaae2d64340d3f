#include "actors/store/redis_store.hpp"
#include "actors/store/redis_url.hpp"
#include "tests/store/redis_server.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <sstream>
#include <thread>

namespace troupe::store::testing {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

job_draft draft(const std::string& id) {
  job_draft made;
  made.id = id;
  made.type = "noop";
  made.queue = "bulk";
  return made;
}

store_options options_for(const redis_server& server) {
  store_options options;
  options.url = server.url();
  options.timeout_ms = 500;
  return options;
}

std::unique_ptr<job_store> opened(const store_options& options) {
  auto store = open_redis_store(options);
  if (!store)
    throw std::runtime_error(store.error().message());
  return std::move(*store);
}

std::vector<operation> submits(std::size_t count, const std::string& prefix) {
  std::vector<operation> ops;
  for (std::size_t i = 0; i < count; ++i)
    ops.emplace_back(submit_op{draft(prefix + std::to_string(i)), {}});
  return ops;
}

errc submit(job_store& store, const std::string& id) {
  const auto answers = store.apply(submits(1, id));
  if (!answers)
    return static_cast<errc>(answers.error().code.value());
  return answers->at(0).error;
}

std::vector<job> claim(job_store& store, std::uint32_t max = 1) {
  claim_request request;
  request.queue = "bulk";
  request.node = "node";
  request.nonce = 7;
  request.max = max;
  return std::move(store.claim(request).value().jobs);
}

std::vector<operation> successes(const std::vector<job>& jobs) {
  std::vector<operation> ops;
  for (const auto& it : jobs)
    ops.emplace_back(succeed_op{it.id, it.fence, R"({"done":true})"});
  return ops;
}

/// Repeats a submit until the store is back; each attempt needs an own id
/// only in name, since a repeated one has no second effect.
bool comes_back(job_store& store, const std::string& id) {
  const auto deadline = clock::now() + 10s;
  while (clock::now() < deadline) {
    if (submit(store, id) == errc::none)
      return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

errc open_error(const store_options& options) {
  const auto store = open_redis_store(options);
  return store ? errc::none : static_cast<errc>(store.error().code.value());
}

TEST(RedisStore, SaysWhatTheServersConfigurationPromises) {
  const redis_server none{{.fsync = "", .tcp = false, .more = {}}};
  const redis_server every_second{
    {.fsync = "everysec", .tcp = true, .more = {}}};
  const redis_server always{{.fsync = "always", .tcp = false, .more = {}}};
  const redis_server never{{.fsync = "no", .tcp = false, .more = {}}};

  EXPECT_EQ(opened(options_for(none))->level(), durability::memory);
  EXPECT_EQ(opened(options_for(never))->level(), durability::memory);
  EXPECT_EQ(opened(options_for(every_second))->level(), durability::interval);
  EXPECT_EQ(opened(options_for(always))->level(), durability::disk);
}

TEST(RedisStore, KeepsJobsAndGoesOnAfterItsServerWasKilled) {
  redis_server server{{.fsync = "always", .tcp = true, .more = {}}};
  auto store = opened(options_for(server));
  ASSERT_EQ(submit(*store, "before"), errc::none);

  server.kill();
  EXPECT_EQ(submit(*store, "between"), errc::unavailable);
  EXPECT_EQ(submit(*store, "between"), errc::unavailable);
  server.start();

  EXPECT_TRUE(comes_back(*store, "after"));
  const auto jobs = store->list({})->jobs;
  ASSERT_EQ(jobs.size(), 2u);
  EXPECT_EQ(jobs[0].id, "after0");
  EXPECT_EQ(jobs[1].id, "before0");
}

TEST(RedisStore, LoadsItsScriptsAgainWhenTheServerForgotThem) {
  const redis_server server;
  auto store = opened(options_for(server));
  ASSERT_EQ(submit(*store, "a"), errc::none);

  server.command({"SCRIPT", "FLUSH"});
  auto ops = submits(300, "b");
  ops.emplace_back(cancel_op{"b0"});
  const auto answers = store->apply(ops);

  ASSERT_TRUE(answers.has_value());
  ASSERT_EQ(answers->size(), 301u);
  EXPECT_EQ(answers->back().job.state, job_state::cancelled);
  EXPECT_EQ(claim(*store, 500).size(), 300u);
}

TEST(RedisStore, NoticesAFrozenServerWithinItsTimeout) {
  redis_server server;
  auto store = opened(options_for(server));
  ASSERT_EQ(submit(*store, "a"), errc::none);

  server.freeze();
  const auto begin = clock::now();
  const auto said = submit(*store, "b");
  const auto waited = clock::now() - begin;
  server.thaw();

  EXPECT_EQ(said, errc::unavailable);
  EXPECT_GE(waited, 400ms);
  EXPECT_LT(waited, 1500ms);
  EXPECT_TRUE(comes_back(*store, "c"));
}

TEST(RedisStore, RefusesAServerThatWouldDropJobs) {
  const redis_server server{
    {.fsync = "", .tcp = false, .more = {"--maxmemory-policy", "allkeys-lru"}}};

  EXPECT_EQ(open_error(options_for(server)), errc::bad_config);
}

TEST(RedisStore, RefusesDataOfAnotherLayout) {
  const redis_server server;
  server.command({"HSET", "{troupe}:meta", "layout", "99"});

  EXPECT_EQ(open_error(options_for(server)), errc::bad_config);
}

TEST(RedisStore, OpensWithTheRightPasswordOnly) {
  const redis_server server{
    {.fsync = "",
     .tcp = true,
     .more = {"--user", "troupe", "on", ">se/cret", "~*", "&*", "+@all",
              "--requirepass", "other"}}};
  auto options = options_for(server);
  const auto place = options.url.substr(std::string{"redis://"}.size());

  EXPECT_EQ(open_error(options), errc::bad_config);
  options.url = "redis://troupe:wrong@" + place;
  EXPECT_EQ(open_error(options), errc::bad_config);
  options.url = "redis://troupe:se%2Fcret@" + place;
  EXPECT_EQ(open_error(options), errc::none);
  options.url = "redis://:other@" + place;
  EXPECT_EQ(open_error(options), errc::none);
}

TEST(RedisStore, SaysUnavailableWhenNobodyListens) {
  store_options options;
  options.url = "redis+unix:///nowhere/at/all";

  EXPECT_EQ(open_error(options), errc::unavailable);
}

TEST(RedisStore, LetsJobsEndWhenTheServerIsOutOfMemory) {
  const redis_server server;
  auto store = opened(options_for(server));
  ASSERT_TRUE(store->apply(submits(10, "a")).has_value());
  const auto jobs = claim(*store, 10);

  server.command({"CONFIG", "SET", "maxmemory", "1"});
  const auto refused = store->apply(submits(200, "b"));
  const auto ended = store->apply(successes(jobs));

  ASSERT_TRUE(refused.has_value());
  ASSERT_EQ(refused->size(), 200u);
  for (const auto& answer : *refused)
    EXPECT_EQ(answer.error, errc::queue_full);
  ASSERT_TRUE(ended.has_value());
  for (const auto& answer : *ended)
    EXPECT_EQ(answer.job.state, job_state::succeeded);
}

TEST(RedisStore, TakesNoSubmitsInTheLastTenthOfItsServersMemory) {
  const redis_server server;
  std::string used = server.command({"INFO", "memory"});
  used = used.substr(used.find("used_memory:") + 12);
  const auto limit = std::stoull(used) * 21 / 20;
  server.command({"CONFIG", "SET", "maxmemory", std::to_string(limit)});
  auto store = opened(options_for(server));

  EXPECT_EQ(submit(*store, "a"), errc::queue_full);
  server.command({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_TRUE(comes_back(*store, "b"));
}

TEST(RedisStore, AnswersUnavailableWhileItsServerTakesNoWrites) {
  const redis_server server;
  auto store = opened(options_for(server));
  server.command({"REPLICAOF", "127.0.0.1", "1"});

  EXPECT_EQ(submit(*store, "a"), errc::unavailable);
  server.command({"REPLICAOF", "NO", "ONE"});
  EXPECT_TRUE(comes_back(*store, "a"));
}

TEST(RedisStore, LeavesNothingBehindForAJobThatIsForgotten) {
  const redis_server server;
  auto store = opened(options_for(server));
  auto made = draft("a");
  made.unique_key = "key";
  made.batch = "batch";
  made.concurrency_key = "group";
  ASSERT_TRUE(store->apply({{submit_op{made, {}}}}).has_value());
  ASSERT_TRUE(store->apply(successes(claim(*store))).has_value());

  const std::vector<operation> purge{purge_op{"a"}};
  ASSERT_TRUE(store->apply(purge).value().at(0).changed);
  ASSERT_TRUE(store->follow({"node", 1, 1000, 256}));

  // One member of each stays: it makes Redis keep the set as a large one.
  std::istringstream keys{server.command({"KEYS", "*"})};
  for (std::string key; std::getline(keys, key);) {
    if (key == "{troupe}:meta" || key == "{troupe}:depth")
      continue;
    const bool hash = key == "{troupe}:unique";
    EXPECT_EQ(std::stoi(server.command({hash ? "HLEN" : "ZCARD", key})), 1)
      << key;
  }
}

/// The server's processor time so far, in ms: other than a clock's, it does not
/// grow while a busy machine runs something else.
double used_ms(const redis_server& server) {
  const auto info = server.command({"INFO", "cpu"});
  const auto at = [&](const std::string& name) {
    return std::stod(info.substr(info.find(name) + name.size()));
  };
  return 1000
         * (at("used_cpu_user_main_thread:") + at("used_cpu_sys_main_thread:"));
}

TEST(RedisStore, KeepsEveryScriptUnderFiveMilliseconds) {
  constexpr std::size_t count = 1280;
  constexpr double scripts = count / 64.0;
  const redis_server server{{.fsync = "", .tcp = false, .more = {}}};
  auto store = opened(options_for(server));
  std::vector<operation> ops;
  for (std::size_t i = 0; i < count; ++i) {
    auto made = draft("job" + std::to_string(i));
    made.unique_key = "key" + made.id;
    made.batch = "batch";
    made.concurrency_key = "host" + std::to_string(i);
    ops.emplace_back(submit_op{made, {"scope" + made.id, "hash"}});
  }

  const auto begin = used_ms(server);
  ASSERT_TRUE(store->apply(ops).has_value());
  const auto submitted = used_ms(server);
  const auto jobs = claim(*store, count);
  const auto claimed = used_ms(server);
  ASSERT_EQ(jobs.size(), count);
  ASSERT_TRUE(store->apply(successes(jobs)).has_value());
  const auto succeeded = used_ms(server);

  EXPECT_LT((submitted - begin) / scripts, 5.0);
  EXPECT_LT((claimed - submitted) / scripts, 5.0);
  EXPECT_LT((succeeded - claimed) / scripts, 5.0);
}

TEST(RedisUrl, NamesAServerAndWhoWeAre) {
  const auto tcp = read_redis_url("redis://me:p%40ss@[::1]:7000/3").value();
  EXPECT_EQ(tcp.host, "::1");
  EXPECT_EQ(tcp.port, 7000);
  EXPECT_EQ(tcp.user, "me");
  EXPECT_EQ(tcp.password, "p@ss");
  EXPECT_EQ(tcp.database, 3u);
  const auto local =
    read_redis_url("redis+unix:///run/redis.sock?db=2").value();
  EXPECT_EQ(local.socket, "/run/redis.sock");
  EXPECT_EQ(local.database, 2u);
  EXPECT_EQ(read_redis_url("redis://localhost").value().port, 6379);
  EXPECT_EQ(place_of(tcp), "[::1]:7000");
  EXPECT_EQ(place_of(read_redis_url("redis+unix:///a/b.sock").value()),
            "/a/b.sock");
}

TEST(RedisUrl, IsRefusedWhenItIsNone) {
  for (const auto* url : {"redis:", "redis://", "redis://h:port",
                          "redis://h:70000", "redis://h/x", "redis://h/-1",
                          "rediss://h", "redis+unix:", "redis+unix:///a?x=1",
                          "redis+unix:///a?db=x", "localhost:6379"})
    EXPECT_FALSE(read_redis_url(url).has_value()) << url;
}

/// Claims and ends until everything has ended, as one of several servers.
void work_until_done(const redis_server& server, std::atomic<int>& running,
                     std::atomic<int>& most, std::atomic<int>& ended,
                     int jobs) {
  auto store = opened(options_for(server));
  const auto deadline = clock::now() + 20s;
  while (ended < jobs && clock::now() < deadline) {
    const auto held = claim(*store, 5);
    const int now = running += static_cast<int>(held.size());
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);)
      continue;
    // Counted as ended before the store knows: never fewer than there are.
    running -= static_cast<int>(held.size());
    for (const auto& op : successes(held))
      ASSERT_TRUE(store->apply(std::vector{op}).has_value());
    ended += static_cast<int>(held.size());
  }
}

TEST(RedisStore, ServersThatRaceForTheLastSlotOfAGroupNeverBothGetIt) {
  constexpr int jobs = 200;
  const redis_server server;
  auto store = opened(options_for(server));
  std::vector<operation> ops{put_limit_op{"host", 1, 0}};
  for (int i = 0; i < jobs; ++i) {
    auto made = draft("job" + std::to_string(i));
    made.concurrency_key = "host";
    ops.emplace_back(submit_op{made, {}});
  }
  ASSERT_TRUE(store->apply(ops).has_value());

  std::atomic<int> running = 0, most = 0, ended = 0;
  {
    std::vector<std::jthread> servers;
    for (int i = 0; i < 3; ++i)
      servers.emplace_back(
        [&] { work_until_done(server, running, most, ended, jobs); });
  }
  EXPECT_EQ(most, 1);
  EXPECT_EQ(ended, jobs);
  EXPECT_EQ(server.command({"EXISTS", "{troupe}:parked"}), "0");
  EXPECT_EQ(server.command({"EXISTS", "{troupe}:running"}), "0");
}

TEST(RedisUser, OneWithTooFewRightsIsToldSoAtOnce) {
  redis_server server;
  server.command(
    {"ACL", "SETUSER", "poor", "on", ">x", "~{troupe}:*", "+info", "+select"});
  store_options options;
  options.url =
    server.url().insert(std::string{"redis+unix://"}.size(), "poor:x@");

  const auto opened = open_redis_store(options);

  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, errc::bad_config);
  EXPECT_NE(opened.error().detail.find("hsetnx"), std::string::npos)
    << opened.error().detail;
}

} // namespace

} // namespace troupe::store::testing
