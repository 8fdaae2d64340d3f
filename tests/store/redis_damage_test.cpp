#include "actors/store/batches.hpp"
#include "actors/store/redis_url.hpp"
#include "tests/store/redis_test.hpp"

#include <functional>

/// What a store does with bytes in Redis that make no sense, and without
/// memory.
namespace troupe::store::testing {
namespace {

class RedisDamage : public RedisTest {
protected:
  RedisDamage() {
    store_ = open();
  }

  applied apply(operation op) {
    return RedisTest::apply(*store_, std::move(op));
  }

  void submit(const std::string& id) {
    ASSERT_EQ(apply(submit_op{draft(id), {}}).error, errc::none);
  }

  std::vector<job> claim(std::uint32_t max) {
    return RedisTest::claim(*store_, max);
  }

  std::vector<std::string> claim_ids(std::uint32_t max) {
    std::vector<std::string> ids;
    for (const auto& it : claim(max))
      ids.push_back(it.id);
    return ids;
  }

  follow_result follow() {
    return must(store_->follow({"node", 1, 15000, 256}));
  }

  std::size_t findings() {
    std::size_t count = 0;
    audit_request request;
    do {
      auto step = must(store_->audit(request));
      count += step.findings.size();
      request.cursor = step.next_cursor;
    } while (!request.cursor.empty());
    return count;
  }

  std::uint64_t depth(job_state state) {
    for (const auto& it : must(store_->depths()))
      if (it.queue == "bulk")
        return it.by_state[static_cast<std::size_t>(state)];
    return 0;
  }

  /// Cuts off the end of a job.
  void damage(const std::string& id) {
    server_.command({"EVAL",
                     "local it = redis.call('HGET', KEYS[1], ARGV[1])"
                     " redis.call('HSET', KEYS[1], ARGV[1], it:sub(1, -9))",
                     "1", "{troupe}:jobs", id});
  }

  /// Writes behind the store's back.
  void in_group(const std::function<void(redis_group&)>& change) {
    redis_client client{must(read_redis_url(server_.url())), 1000};
    redis_group group{client, options_};
    ASSERT_TRUE(group.read());
    change(group);
    ASSERT_TRUE(group.write().value());
  }

  /// A batch that is to be opened, chunk after chunk.
  void stage(const std::vector<std::vector<job_draft>>& chunks,
             const std::function<void(redis_group&)>& then) {
    std::size_t total = 0;
    for (const auto& jobs : chunks)
      total += jobs.size();
    in_group([&](redis_group& group) {
      begin_batch({"b1", "", {}, ""}, total, group);
      for (const auto& jobs : chunks)
        ASSERT_EQ(stage_chunk("b1", jobs, group), errc::none);
      ASSERT_EQ(show_batch("b1", group), errc::none);
      then(group);
    });
  }

  void take_memory() {
    server_.command({"CONFIG", "SET", "maxmemory", "1"});
  }

  /// A store that is new has no old news of it.
  void give_memory() {
    server_.command({"CONFIG", "SET", "maxmemory", "0"});
    store_ = must(open_redis_store(options_));
  }

  std::unique_ptr<job_store> store_;
};

TEST_F(RedisDamage, AReadyJobThatCannotBeReadEndsAsFailed) {
  submit("a");
  submit("b");
  damage("a");

  EXPECT_EQ(claim_ids(5), std::vector<std::string>{"b"});

  const auto dead = must(store_->get("a"));
  EXPECT_EQ(dead.state, job_state::failed);
  EXPECT_EQ(dead.type, "bulk");
  EXPECT_EQ(dead.errors.at(0).code, "corrupt");
  EXPECT_EQ(depth(job_state::queued), 0u);
  EXPECT_EQ(depth(job_state::failed), 1u);
  EXPECT_EQ(findings(), 0u);
}

TEST_F(RedisDamage, AReadyMemberOfAJobThatIsNotQueuedIsDropped) {
  submit("a");
  server_.command({"COPY", "{troupe}:ready", "ready"});
  server_.command({"COPY", "{troupe}:heads", "heads"});
  ASSERT_EQ(claim_ids(1), std::vector<std::string>{"a"});
  server_.command({"COPY", "ready", "{troupe}:ready", "REPLACE"});
  server_.command({"COPY", "heads", "{troupe}:heads", "REPLACE"});
  submit("b");

  EXPECT_EQ(claim_ids(5), std::vector<std::string>{"b"});

  EXPECT_EQ(must(store_->get("a")).state, job_state::running);
  EXPECT_EQ(findings(), 0u);
}

TEST_F(RedisDamage, MembersOfTimesThatJobsDoNotHaveAreDropped) {
  submit("a");
  const auto held = claim(1).at(0);
  submit("b");
  server_.command({"ZADD", "{troupe}:schedule", "1", "b"});
  server_.command({"ZADD", "{troupe}:leases", "1", "b", "1", "a"});
  const std::vector<held_lease> leases{{held.id, held.fence}};
  // Nothing expires until a lease's time without a gap has gone by.
  for (; offset_ < 2 * options_.lease_ms; offset_ += options_.lease_ms / 4)
    must(store_->renew(leases, options_.lease_ms));
  must(store_->sweep({"node", 1, 15000, 256}));

  EXPECT_EQ(server_.command({"ZSCORE", "{troupe}:leases", "b"}), "");
  EXPECT_EQ(server_.command({"ZSCORE", "{troupe}:schedule", "b"}), "");
  EXPECT_EQ(must(store_->get("a")).state, job_state::running);
  EXPECT_EQ(must(store_->get("b")).state, job_state::queued);
}

TEST_F(RedisDamage, ListsWhatCanBeRead) {
  submit("a");
  submit("b");
  submit("c");
  damage("b");

  const auto page = must(store_->list({}));
  const auto cancelled = must(store_->bulk({}));

  ASSERT_EQ(page.jobs.size(), 2u);
  EXPECT_EQ(page.jobs[0].id, "c");
  EXPECT_EQ(page.jobs[1].id, "a");
  EXPECT_EQ(cancelled.changed.size(), 2u);
}

TEST_F(RedisDamage, ABatchEndsWithoutTheJobsThatCannotBeRead) {
  stage({{draft("a"), draft("b")}, {draft("c")}, {draft("d")}},
        [](redis_group& group) {
          group.write(record_kind::staged, "b1/0", "junk");
          group.remove(record_kind::staged, "b1/1");
        });

  while (follow().more)
    continue;
  const auto held = claim(5);
  ASSERT_EQ(held.size(), 1u);
  apply(succeed_op{held[0].id, held[0].fence, "{}"});
  while (follow().more)
    continue;

  const auto ended = must(store_->get_batch("b1"));
  EXPECT_EQ(ended.total, 1u);
  EXPECT_NE(ended.finished_at, 0);
}

TEST_F(RedisDamage, ARecordThatCannotBeReadIsPutOff) {
  in_group([](redis_group& group) {
    group.write(record_kind::batch, "b1", "junk", group.now());
    group.write(record_kind::schedule, "nightly", "junk", group.now());
  });

  const auto first = must(store_->sweep({"node", 1, 15000, 256}));
  const auto second = must(store_->sweep({"node", 1, 15000, 256}));

  EXPECT_FALSE(second.more);
  EXPECT_GT(second.next_due, first.now + 60'000);
  EXPECT_EQ(findings(), 2u);
}

// -- without memory -----------------------------------------------------------

TEST_F(RedisDamage, WithoutMemoryOnlySpooledSubmitsAreRefused) {
  submit("a");
  const auto held = claim(1).at(0);
  submit_op late{draft("late"), {}};
  late.spooled = true;
  submit_op known{draft("a"), {}};
  known.spooled = true;
  const std::vector<operation> ops{late, known,
                                   succeed_op{held.id, held.fence, "{}"}};

  take_memory();
  const auto done = must(store_->apply(ops));
  give_memory();
  const auto again = apply(late);

  EXPECT_EQ(done[0].error, errc::queue_full);
  EXPECT_EQ(done[1].job.id, "a");
  EXPECT_EQ(done[2].job.state, job_state::succeeded);
  EXPECT_EQ(again.error, errc::none);
  EXPECT_EQ(claim_ids(5), std::vector<std::string>{"late"});
}

TEST_F(RedisDamage, SubmitsStopAtNineTenthsHoweverFastTheyCome) {
  const auto used = [&] {
    const auto info = server_.command({"INFO", "memory"});
    const std::string name = "used_memory:";
    return std::stod(info.substr(info.find(name) + name.size()));
  };
  const auto limit = used() + 40e6;
  server_.command({"CONFIG", "SET", "maxmemory",
                   std::to_string(static_cast<std::int64_t>(limit))});

  // All of it within the second that a look is good for.
  auto said = errc::none;
  for (int i = 0; i < 1000 && said == errc::none; ++i) {
    std::vector<operation> ops;
    for (int k = 0; k < 32; ++k) {
      auto made = draft(std::to_string(i) + "." + std::to_string(k));
      made.params = R"({"text":")" + std::string(8000, 'x') + R"("})";
      ops.emplace_back(submit_op{std::move(made), {}});
    }
    said = must(store_->apply(ops)).back().error;
  }

  EXPECT_EQ(said, errc::queue_full);
  EXPECT_GT(used(), 0.85 * limit);
  EXPECT_LT(used(), 0.93 * limit);
}

TEST_F(RedisDamage, ABatchThatWaitsForMemoryHoldsUpNothingElse) {
  submit("parent");
  const auto held = claim(1).at(0);
  auto child = draft("child");
  child.depends_on = {"parent"};
  apply(submit_op{child, {}});
  stage({{draft("one"), draft("other")}}, [](redis_group&) {});

  take_memory();
  apply(succeed_op{held.id, held.fence, "{}"});
  const auto without = follow();
  give_memory();
  offset_ += 2000;
  const auto with = follow();

  ASSERT_EQ(without.changed.size(), 1u);
  EXPECT_EQ(without.changed[0].id, "child");
  EXPECT_EQ(with.changed.size(), 2u);
}

} // namespace
} // namespace troupe::store::testing
