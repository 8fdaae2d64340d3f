#include "tests/store/must.hpp"
#include "tests/store/redis_server.hpp"

#include "actors/store/job_store.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

/// How safe a server says that jobs are there, which its operator may change at
/// any time.
namespace troupe::store::testing {
namespace {

using namespace std::chrono_literals;

class RedisLevel : public ::testing::Test {
protected:
  using clock = std::chrono::steady_clock;

  RedisLevel() {
    store_options options;
    options.url = server_.url();
    options.timeout_ms = 500;
    store_ = must(open_store(options));
  }

  static submit_op draft(const std::string& id) {
    submit_op op;
    op.draft.id = id;
    op.draft.type = op.draft.queue = "bulk";
    return op;
  }

  errc submit(const std::string& id) {
    const auto done = store_->apply(std::vector<operation>{draft(id)});
    return done ? done->at(0).error
                : static_cast<errc>(done.error().code.value());
  }

  /// What one that insists on the disk is told.
  durability reached(const std::string& id) {
    auto op = draft(id);
    op.asked = durability::disk;
    op.strict = true;
    const auto done = store_->apply(std::vector<operation>{op});
    EXPECT_TRUE(done);
    return done ? done->at(0).job.reached : durability::local;
  }

  bool comes_back() {
    const auto deadline = clock::now() + 10s;
    while (clock::now() < deadline) {
      if (submit("after") == errc::none)
        return true;
      std::this_thread::sleep_for(5ms);
    }
    return false;
  }

  redis_server server_{{.fsync = "always", .tcp = false, .more = {}}};
  std::unique_ptr<job_store> store_;
};

TEST_F(RedisLevel, WhoInsistsIsToldWhatTheServerPromisesBehindTheWrite) {
  EXPECT_EQ(reached("a"), durability::disk);

  server_.command({"CONFIG", "SET", "appendfsync", "everysec"});
  EXPECT_EQ(reached("b"), durability::interval);
  EXPECT_EQ(store_->get("b")->reached, durability::interval);
  server_.command({"CONFIG", "SET", "appendonly", "no"});
  EXPECT_EQ(reached("c"), durability::memory);
  EXPECT_EQ(store_->get("c")->reached, durability::memory);
  EXPECT_EQ(store_->level(), durability::memory);
}

TEST_F(RedisLevel, ABatchThatInsistsIsTakenBackWhenTheLogIsSwitchedOff) {
  batch_draft made;
  made.id = "b1";
  made.asked = made.required = durability::disk;
  std::vector<job_draft> jobs(1);
  jobs[0].id = "a";
  jobs[0].type = jobs[0].queue = "bulk";
  server_.command({"CONFIG", "SET", "appendonly", "no"});

  const auto done = store_->submit_batch(made, jobs, {});

  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, errc::not_durable);
  EXPECT_FALSE(store_->get("a"));
}

TEST_F(RedisLevel, NobodyIsToldForLongWhatTheServerNoLongerPromises) {
  ASSERT_EQ(submit("before"), errc::none);
  server_.command({"CONFIG", "SET", "appendonly", "no"});
  const auto begun = clock::now();

  for (int i = 0; store_->level() != durability::memory; ++i) {
    ASSERT_LT(clock::now() - begun, 5s);
    ASSERT_EQ(submit("at" + std::to_string(i) + "."), errc::none);
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_LT(clock::now() - begun, 3s); // what is known is a second old at most

  // A log that is begun holds nothing until all has been written to it.
  server_.command({"CONFIG", "SET", "appendonly", "yes"});
  const auto deadline = clock::now() + 10s;
  while (reached("again") != durability::disk && clock::now() < deadline)
    store_->apply(std::vector<operation>{withdraw_op{"again", ""}});
  EXPECT_EQ(store_->get("again")->reached, durability::disk);
}

TEST_F(RedisLevel, IsAwayWhileItsServerWouldDropJobs) {
  ASSERT_EQ(submit("before"), errc::none);

  server_.command({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"});
  const auto swept = store_->sweep({"node", 1, 15'000, 256});
  const auto refused = submit("between");
  server_.command({"CONFIG", "SET", "maxmemory-policy", "noeviction"});

  ASSERT_FALSE(swept);
  EXPECT_EQ(swept.error().code, make_error_code(errc::unavailable));
  EXPECT_NE(swept.error().detail.find("allkeys-lru"), std::string::npos);
  EXPECT_EQ(refused, errc::unavailable);
  EXPECT_TRUE(comes_back());
}

} // namespace
} // namespace troupe::store::testing
