#include "tests/actors/queue_fixture.hpp"
#include "tests/store/redis_server.hpp"
#include "tests/store/scratch_folder.hpp"

#include <csignal>
#include <thread>

/// What was promised while Redis was away, and a Redis that loses the end of
/// its log afterwards.
namespace troupe::actors {
namespace {

using namespace testing;
using wall = std::chrono::steady_clock;

class HandoverTest : public QueueTest {
protected:
  HandoverTest() {
    // As the program does: a dead Redis is an error of a call.
    std::signal(SIGPIPE, SIG_IGN);
    store::store_options options;
    options.url = redis.url();
    store = *store::open_store(options);
    spool =
      *store::spool::open((folder.path() / "spool.db").string(), 1u << 20);
  }

  std::vector<std::string> submit_while_away(int count) {
    std::vector<std::string> ids;
    faults->away = true;
    for (int i = 0; i < count; ++i)
      ids.push_back(submit());
    faults->away = false;
    return ids;
  }

  /// @return false if it takes longer than 20 s, of the real clock
  template <class Condition>
  bool until(Condition condition) {
    const auto limit = wall::now() + 20s;
    while (!condition()) {
      if (wall::now() > limit)
        return false;
      advance(250ms);
      std::this_thread::sleep_for(20ms);
    }
    return true;
  }

  bool knows(const std::vector<std::string>& ids) {
    return std::ranges::all_of(ids, [this](const std::string& id) {
      return store->get(id).has_value();
    });
  }

  store::testing::scratch_folder folder;
  store::testing::redis_server redis;
};

TEST_F(HandoverTest, NothingIsLostWithTheEndOfTheLog) {
  submit();
  const auto synced = redis.log_size();
  const auto ids = submit_while_away(20);
  ASSERT_TRUE(until([&] { return knows(ids); }));
  EXPECT_EQ(status->kept, ids.size());

  redis.kill();
  redis.cut_log(synced);
  redis.start();

  EXPECT_TRUE(until([&] { return knows(ids); }));
  EXPECT_TRUE(until([&] { return spool->size() == 0; }));
  EXPECT_EQ(store->list({})->jobs.size(), ids.size() + 1);
}

TEST_F(HandoverTest, WhatIsSyncedIsKeptNoLonger) {
  const auto ids = submit_while_away(3);
  ASSERT_TRUE(until([&] { return knows(ids); }));
  const auto begun = wall::now();

  ASSERT_TRUE(until([&] { return spool->size() == 0; }));
  EXPECT_GE(wall::now() - begun, 1900ms);
  redis.kill();
  redis.start();

  EXPECT_TRUE(until([&] { return knows(ids); }));
}

} // namespace
} // namespace troupe::actors
