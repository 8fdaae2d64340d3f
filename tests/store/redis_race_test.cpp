#include "actors/store/batches.hpp"
#include "actors/store/operations.hpp"
#include "actors/store/packing.hpp"
#include "actors/store/redis_store.hpp"
#include "actors/store/redis_url.hpp"
#include "tests/store/redis_server.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <set>
#include <thread>

/// Several servers on one Redis, and what older ones left there.
namespace troupe::store::testing {
namespace {

constexpr int heads = 3;
constexpr std::int64_t hour = 3600 * 1000;

template <class T>
T must(result<T> outcome) {
  if (!outcome)
    throw std::runtime_error(outcome.error().message());
  return std::move(*outcome);
}

class RedisRace : public ::testing::Test {
protected:
  RedisRace() {
    options_.url = server_.url();
    options_.clock_offset_ms = [this] {
      return offset_.load();
    };
  }

  std::unique_ptr<job_store> open() {
    return must(open_redis_store(options_));
  }

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

  static job_draft draft(const std::string& id) {
    job_draft made;
    made.id = id;
    made.type = made.queue = "bulk";
    return made;
  }

  static applied apply(job_store& store, operation op) {
    return std::move(must(store.apply({&op, 1})).at(0));
  }

  static std::vector<job> claim(job_store& store, std::uint32_t max) {
    claim_request request;
    request.queue = "bulk";
    request.node = "node";
    request.nonce = 7;
    request.max = max;
    return must(store.claim(request)).jobs;
  }

  static follow_result follow(job_store& store) {
    follow_result all;
    for (bool more = true; more;) {
      auto step = must(store.follow({"node", 1, 15000, 256}));
      more = step.more;
      std::ranges::move(step.changed, std::back_inserter(all.changed));
      std::ranges::move(step.batches, std::back_inserter(all.batches));
    }
    return all;
  }

  redis_server server_;
  std::atomic<std::int64_t> offset_ = 0;
  store_options options_;
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

// -- what one server writes while another has read ----------------------------

class RedisGroups : public RedisRace {
protected:
  /// A group that has read time and version.
  std::unique_ptr<redis_group> begun() {
    auto group = std::make_unique<redis_group>(client_, options_);
    must(group->redis_group::read());
    return group;
  }

  static void must(const result<void>& done) {
    if (!done)
      throw std::runtime_error(done.error().message());
  }

  redis_client client_{testing::must(read_redis_url(server_.url())), 1000};
};

TEST_F(RedisGroups, TheSecondToWriteAJobWritesNothing) {
  const auto store = open();
  apply(*store, submit_op{draft("a"), {}});
  auto one = begun(), other = begun(), third = begun();
  for (auto* group : {one.get(), other.get()}) {
    auto& it = *group->find("a").it;
    it.checkpoint = group == one.get() ? "1" : "2";
    group->save(it, it.state);
  }
  third->guard(*third->find("a").it);
  third->write(record_kind::log, "a", "line");

  EXPECT_TRUE(one->write().value());
  EXPECT_FALSE(other->write().value());
  EXPECT_FALSE(third->write().value());

  EXPECT_EQ(testing::must(store->get("a")).checkpoint, "1");
  EXPECT_EQ(testing::must(store->log_of("a")), "");
}

TEST_F(RedisGroups, AnEndedJobIsNotForgottenWhileAnotherBeginsToWaitForIt) {
  const auto store = open();
  apply(*store, submit_op{draft("parent"), {}});
  auto first = draft("first");
  first.depends_on = {"parent"};
  apply(*store, submit_op{first, {}});
  apply(*store, cancel_op{"first"});
  const auto held = claim(*store, 1).at(0);
  apply(*store, succeed_op{held.id, held.fence, "{}"});
  follow(*store);
  auto forgets = begun(), waits = begun();
  auto second = draft("second");
  second.depends_on = {"parent"};

  ASSERT_TRUE(perform(purge_op{"parent"}, *forgets).changed);
  ASSERT_TRUE(perform(submit_op{second, {}}, *waits).changed);

  EXPECT_TRUE(waits->write().value());
  EXPECT_FALSE(forgets->write().value());
}

TEST_F(RedisGroups, WhoWaitsForAJobThatIsGoneIsLetGo) {
  const auto store = open();
  apply(*store, submit_op{draft("parent"), {}});
  for (const auto policy : {parent_policy::fail, parent_policy::run}) {
    auto child = draft(std::string{to_string(policy)});
    child.depends_on = {"parent"};
    child.on_parent_failure = policy;
    apply(*store, submit_op{child, {}});
  }
  auto forgets = begun();
  forgets->erase(*forgets->find("parent").it);
  forgets->write(record_kind::release, "parent", {}, forgets->now());
  ASSERT_TRUE(forgets->write().value());

  follow(*store);

  EXPECT_EQ(testing::must(store->get("fail")).state, job_state::failed);
  EXPECT_EQ(testing::must(store->get("run")).state, job_state::queued);
}

TEST_F(RedisGroups, ARecordIsWrittenOnlyAsItWasRead) {
  auto one = begun(), other = begun(), blind = begun();
  EXPECT_FALSE(one->read(record_kind::log, "a"));
  EXPECT_FALSE(other->read(record_kind::log, "a"));
  one->write(record_kind::log, "a", "1");
  other->write(record_kind::log, "a", "2");
  blind->write(record_kind::log, "a", "3");

  EXPECT_TRUE(one->write().value());
  EXPECT_FALSE(other->write().value());
  EXPECT_TRUE(blind->write().value());

  EXPECT_EQ(begun()->read(record_kind::log, "a"), "3");
}

TEST_F(RedisGroups, ABatchThatWasNeverShownIsRemoved) {
  const auto store = open();
  auto group = begun();
  begin_batch({"b1", "", {}, ""}, 600, *group);
  ASSERT_TRUE(group->write().value());
  group = begun();
  const std::vector jobs{draft("a"), draft("b")};
  ASSERT_EQ(stage_chunk("b1", jobs, *group), errc::none);
  ASSERT_TRUE(group->write().value());
  EXPECT_FALSE(store->get_batch("b1"));
  EXPECT_FALSE(store->get("a"));
  follow(*store);
  EXPECT_EQ(stage_chunk("b1", jobs, *begun()), errc::none);

  offset_ = staging_ms + 1000;
  follow(*store);

  EXPECT_EQ(stage_chunk("b1", jobs, *begun()), errc::not_found);
  EXPECT_EQ(server_.command({"HLEN", "{troupe}:records"}), "0");
  EXPECT_TRUE(testing::must(store->list({})).jobs.empty());
}

TEST_F(RedisGroups, ABatchThatWasShownIsOpenedByWhoeverComes) {
  const auto store = open();
  auto group = begun();
  begin_batch({"b1", "", {}, ""}, 2, *group);
  ASSERT_TRUE(group->write().value());
  group = begun();
  ASSERT_EQ(stage_chunk("b1", std::vector{draft("a"), draft("b")}, *group),
            errc::none);
  ASSERT_TRUE(group->write().value());
  group = begun();
  ASSERT_EQ(show_batch("b1", *group), errc::none);
  ASSERT_TRUE(group->write().value());

  EXPECT_EQ(follow(*store).changed.size(), 2u);

  EXPECT_EQ(claim(*store, 5).size(), 2u);
  EXPECT_EQ(testing::must(store->get_batch("b1")).total, 2u);
}

TEST_F(RedisGroups, ABatchThatWasShownWaitsForMemory) {
  const auto store = open();
  auto group = begun();
  begin_batch({"b1", "", {}, ""}, 1, *group);
  ASSERT_TRUE(group->write().value());
  group = begun();
  ASSERT_EQ(stage_chunk("b1", std::vector{draft("a")}, *group), errc::none);
  ASSERT_TRUE(group->write().value());
  group = begun();
  ASSERT_EQ(show_batch("b1", *group), errc::none);
  ASSERT_TRUE(group->write().value());
  server_.command({"CONFIG", "SET", "maxmemory", "1"});

  const auto full = store->follow({"node", 1, 15000, 256});
  const auto swept = store->sweep({"node", 1, 15000, 256});
  server_.command({"CONFIG", "SET", "maxmemory", "0"});

  ASSERT_TRUE(full);
  EXPECT_TRUE(full->changed.empty());
  EXPECT_TRUE(swept);
  // What Redis has left is asked for once a second.
  std::size_t opened = 0;
  const auto until =
    std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (opened == 0 && std::chrono::steady_clock::now() < until) {
    offset_ += 2000; // it is tried again after a second
    opened = follow(*store).changed.size();
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  EXPECT_EQ(opened, 1u);
}

// -- what an older version left -----------------------------------------------

/// As version 1 packed jobs.
std::string packed_before(const job& it) {
  const auto draft = pack_draft(it), live = pack_live(it), all = pack_job(it);
  return "\x01" + draft.substr(1, draft.size() - 5)
         + live.substr(1, live.size() - 5)
         + all.substr(draft.size() + live.size() - 1);
}

TEST_F(RedisGroups, ReadsWhatTheLayoutBeforeHolds) {
  apply(*open(), submit_op{draft("a"), {}});
  const auto stored = server_.command({"HGET", "{troupe}:jobs", "a"});
  redis_record record;
  ASSERT_TRUE(unpack_record(stored, record));
  const auto header = stored.size() - pack_job(record.job).size();
  server_.command({"HSET", "{troupe}:jobs", "a",
                   stored.substr(0, header) + packed_before(record.job)});
  server_.command({"HSET", "{troupe}:meta", "layout", "2"});

  const auto store = open();

  EXPECT_EQ(testing::must(store->get("a")), record.job);
  EXPECT_EQ(claim(*store, 1).size(), 1u);
  EXPECT_EQ(server_.command({"HGET", "{troupe}:meta", "layout"}), "3");
}

} // namespace
} // namespace troupe::store::testing
