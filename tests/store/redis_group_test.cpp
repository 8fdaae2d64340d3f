#include "actors/store/batches.hpp"
#include "actors/store/operations.hpp"
#include "actors/store/packing.hpp"
#include "actors/store/redis_url.hpp"
#include "tests/store/redis_test.hpp"

#include <chrono>
#include <thread>

/// What one server writes while another has read, and what an older one left.
namespace troupe::store::testing {
namespace {

class RedisGroups : public RedisTest {
protected:
  /// A group that has read time and version.
  std::unique_ptr<redis_group> begun() {
    auto group = std::make_unique<redis_group>(client_, options_);
    must(group->redis_group::read());
    return group;
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
  return "\x01" + draft.substr(1, draft.size() - 6)
         + live.substr(1, live.size() - 8)
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
