#include "tests/store/redis_test.hpp"

#include <functional>
#include <set>
#include <thread>

/// Several servers on one Redis.
namespace troupe::store::testing {
namespace {

constexpr int heads = 3;
constexpr std::int64_t hour = 3600 * 1000;

class RedisRace : public RedisTest {
protected:
  /// Runs the same on as many stores at once as there are heads.
  void on_all(const std::function<void(job_store&, int)>& work) {
    std::vector<std::unique_ptr<job_store>> stores;
    for (int i = 0; i < heads; ++i)
      stores.push_back(open());
    std::vector<std::thread> threads;
    for (int i = 0; i < heads; ++i)
      threads.emplace_back([&, i] { work(*stores[std::size_t(i)], i); });
    for (auto& thread : threads)
      thread.join();
  }
};

TEST_F(RedisRace, NoJobIsClaimedTwice) {
  const auto store = open();
  std::vector<operation> ops;
  for (int i = 0; i < 900; ++i)
    ops.push_back(submit_op{draft("job" + std::to_string(i)), {}});
  must(store->apply(ops));
  std::array<std::vector<std::string>, heads> claimed;

  on_all([&](job_store& own, int head) {
    for (bool more = true; more;) {
      const auto jobs = claim(own, 7);
      more = !jobs.empty();
      for (const auto& it : jobs)
        claimed[std::size_t(head)].push_back(it.id);
    }
  });

  std::set<std::string> once;
  std::size_t all = 0;
  for (const auto& ids : claimed) {
    once.insert(ids.begin(), ids.end());
    all += ids.size();
  }
  EXPECT_EQ(all, 900u);
  EXPECT_EQ(once.size(), 900u);
}

TEST_F(RedisRace, AUniqueKeyIsGivenToOneJob) {
  constexpr int keys = 100;
  std::array<std::vector<std::string>, heads> holders;
  std::atomic<int> added = 0;

  on_all([&](job_store& own, int head) {
    for (int i = 0; i < keys; ++i) {
      auto made = draft("job" + std::to_string(i) + "." + std::to_string(head));
      made.unique_key = "key" + std::to_string(i);
      const auto answer = apply(own, submit_op{made, {}});
      added += answer.changed ? 1 : 0;
      holders[std::size_t(head)].push_back(answer.job.id);
    }
  });

  EXPECT_EQ(added, keys);
  EXPECT_EQ(holders[0], holders[1]);
  EXPECT_EQ(holders[0], holders[2]);
}

TEST_F(RedisRace, AScheduleIsFiredOnceByAllServersTogether) {
  schedule made;
  made.name = "hourly";
  made.cron = "@hourly";
  made.job = draft("");
  made.overlap = overlap_policy::allow;
  const auto store = open();
  ASSERT_EQ(apply(*store, put_schedule_op{made}).error, errc::none);
  const auto begin = must(store->get_schedule("hourly")).next_at;
  const auto now = must(store->sweep({"node", 1, 15000, 1})).now;

  for (int round = 0; round < 10; ++round) {
    offset_ = begin - now + round * hour + 1000;
    std::atomic<int> fired = 0;
    on_all([&](job_store& own, int) {
      fired += static_cast<int>(follow(own).changed.size());
    });
    EXPECT_EQ(fired, 1);
  }
  EXPECT_EQ(must(store->list({})).jobs.size(), 10u);
}

TEST_F(RedisRace, NoChildMissesTheEndOfItsParent) {
  const auto store = open();
  for (int round = 0; round < 20; ++round) {
    const auto parent = "parent" + std::to_string(round);
    apply(*store, submit_op{draft(parent), {}});
    const auto held = claim(*store, 1).at(0);
    on_all([&](job_store& own, int head) {
      if (head == 0) {
        apply(own, succeed_op{held.id, held.fence, "{}"});
        follow(own);
        return;
      }
      for (int i = 0; i < 5; ++i) {
        auto child = draft(parent + "." + std::to_string(head * 5 + i));
        child.depends_on = {parent};
        apply(own, submit_op{child, {}});
      }
      follow(own);
    });
    follow(*store);
    for (const auto& it : claim(*store, 100))
      apply(*store, succeed_op{it.id, it.fence, "{}"});
  }

  list_query all;
  all.page_size = 1000;
  for (const auto& it : must(store->list(all)).jobs)
    EXPECT_EQ(it.state, job_state::succeeded) << it.id;
}

TEST_F(RedisRace, ABatchThatAllServersWorkOnEndsOnce) {
  std::vector<job_draft> jobs;
  for (int i = 0; i < 1000; ++i)
    jobs.push_back(draft("job" + std::to_string(i)));
  std::atomic<int> ends = 0;
  std::atomic<bool> over = false;

  on_all([&](job_store& own, int head) {
    if (head == 0)
      must(own.submit_batch({"b1", "", {}, "https://x/"}, jobs, {}));
    while (!over) {
      std::vector<operation> ops;
      for (const auto& it : claim(own, 20))
        ops.push_back(succeed_op{it.id, it.fence, "{}"});
      if (!ops.empty())
        must(own.apply(ops));
      for (const auto& it : follow(own).batches)
        if (it.finished_at != 0)
          over = true;
    }
  });

  const auto store = open();
  ends = static_cast<int>(must(store->take_callbacks(10)).size());
  EXPECT_EQ(ends, 1);
  const auto end = must(store->get_batch("b1"));
  EXPECT_EQ(end.by_state[std::size_t(job_state::succeeded)], 1000u);
  EXPECT_EQ(end.ended(), 1000u);
}

} // namespace
} // namespace troupe::store::testing
