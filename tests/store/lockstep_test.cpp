#include "actors/store/transitions.hpp"
#include "tests/store/must.hpp"
#include "tests/store/store_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <random>
#include <stdexcept>

/// The same random operations on two stores: after each, both must have
/// answered the same. What no one thought of in the suite shows up here.
namespace troupe::store::testing {

namespace {

/// Store times are read from running clocks, so they differ a little.
constexpr std::int64_t tolerance_ms = 2000;

/// The times of a job, and the job without them.
struct timed {
  explicit timed(job from) : rest{std::move(from)} {
    for (auto* time : {&rest.run_at, &rest.created_at, &rest.started_at,
                       &rest.finished_at, &rest.lease_until}) {
      times.push_back(*time);
      *time = 0;
    }
    for (auto& note : rest.notes) {
      times.push_back(note.time);
      note.time = 0;
    }
    rest.reached = durability::memory;
  }

  job rest;
  std::vector<timestamp_ms> times;
};

void expect_same(const job& one, const job& other) {
  const timed a{one};
  const timed b{other};
  EXPECT_EQ(a.rest.id, b.rest.id);
  EXPECT_EQ(to_string(a.rest.state), to_string(b.rest.state)) << a.rest.id;
  EXPECT_EQ(a.rest.revision, b.rest.revision) << a.rest.id;
  EXPECT_TRUE(a.rest == b.rest) << a.rest.id;
  ASSERT_EQ(a.times.size(), b.times.size()) << a.rest.id;
  for (std::size_t i = 0; i < a.times.size(); ++i)
    EXPECT_LE(std::abs(a.times[i] - b.times[i]), tolerance_ms)
      << a.rest.id << ", time " << i;
}

std::vector<std::string> ids_of(const std::vector<job>& jobs) {
  std::vector<std::string> ids;
  for (const auto& it : jobs)
    ids.push_back(it.id);
  return ids;
}

void expect_same(const std::vector<job>& one, const std::vector<job>& other) {
  ASSERT_EQ(ids_of(one), ids_of(other));
  for (std::size_t i = 0; i < one.size(); ++i)
    expect_same(one[i], other[i]);
}

class Lockstep : public ::testing::TestWithParam<unsigned> {
protected:
  // Half of it is no multiple of a step, so that no test of time is a tie.
  static constexpr std::int64_t lease_ms = 61'300;

  Lockstep() {
    for (const auto& kind : store_kinds()) {
      if (kind.name != "Memory" && kind.name != "Redis")
        continue;
      places_.push_back(kind.make());
      store_options options;
      options.lease_ms = lease_ms;
      options.max_queued = 60;
      options.retention_ms = 3'602'500;
      options.clock_offset_ms = [this] {
        return offset_;
      };
      stores_.push_back(must(places_.back()->open(options)));
    }
  }

  std::uint64_t roll(std::uint64_t below) {
    return std::uniform_int_distribution<std::uint64_t>{0, below - 1}(random_);
  }

  std::string some_id() {
    return "job" + std::to_string(roll(made_ + 1));
  }

  /// The fence of an attempt: the newest, an older one, or one made up.
  fence some_fence(const std::string& id) {
    const auto known = fences_.find(id);
    if (known == fences_.end() || roll(20) == 0)
      return {roll(3), roll(2)};
    const auto& all = known->second;
    return roll(10) == 0 ? all[roll(all.size())] : all.back();
  }

  submit_op some_submit() {
    submit_op op;
    op.draft.id = roll(20) == 0 ? some_id() : "job" + std::to_string(++made_);
    op.draft.type = roll(2) == 0 ? "noop" : "download";
    op.draft.queue = roll(3) == 0 ? "bulk" : "download";
    op.draft.priority = static_cast<std::int32_t>(roll(10));
    if (roll(6) == 0)
      op.draft.deadline_ms = 1000 * static_cast<std::int64_t>(1 + roll(60));
    op.draft.max_attempts = 1 + static_cast<std::uint32_t>(roll(3));
    op.draft.backoff = {.initial_s = 40, .factor = 2, .max_s = 90, .jitter = 0};
    op.draft.params = R"({"n":)" + std::to_string(made_) + "}";
    op.draft.tags = {"a", std::string("b\0c", 3)};
    if (roll(3) == 0)
      op.draft.concurrency_key = "group" + std::to_string(roll(3));
    if (roll(4) == 0)
      op.draft.unique_key = "key" + std::to_string(roll(4));
    if (roll(4) == 0)
      op.draft.batch = "batch" + std::to_string(roll(2));
    if (roll(4) == 0)
      op.draft.delay_ms = 1000 * static_cast<std::int64_t>(roll(200));
    if (roll(4) == 0) {
      op.draft.depends_on = {some_id()};
      op.draft.on_parent_failure = static_cast<parent_policy>(roll(3));
    }
    if (roll(4) == 0)
      op.idempotency = {"scope" + std::to_string(roll(6)),
                        "hash" + std::to_string(roll(2))};
    return op;
  }

  /// What gives a job its place in the order: one per step, since two at the
  /// same time would be told apart by the stores' own clocks.
  operation some_ordering_operation() {
    const auto id = some_id();
    const auto proof = some_fence(id);
    switch (roll(9)) {
    case 7:
      return put_queue_op{.queue = roll(3) == 0 ? "bulk" : "download",
                          .paused = roll(8) == 0,
                          .concurrency = std::uint32_t(roll(2) * roll(9)),
                          .rate_per_s = roll(6) == 0 ? 0.019 : 0.0,
                          .key_concurrency = std::uint32_t(roll(4))};
    case 8:
      return put_limit_op{"group" + std::to_string(roll(3)),
                          std::uint32_t(roll(4)), roll(4) == 0 ? 0.017 : 0.0};
    case 0:
    case 1:
      return fail_op{id,
                     proof,
                     "timeout",
                     "it took too long",
                     roll(3) != 0,
                     roll(2) == 0 ? 0 : 120'000,
                     roll(2) == 0 ? "" : "{}"};
    case 2:
      return retry_op{id};
    default:
      return some_submit();
    }
  }

  operation some_operation() {
    const auto id = some_id();
    const auto proof = some_fence(id);
    switch (roll(10)) {
    case 8:
      return pause_op{id};
    case 9:
      return resume_op{id};
    case 0: {
      media::progress now;
      now.fraction = 0.5;
      now.stage = "download";
      return checkpoint_op{id, proof, now, roll(2) == 0 ? "" : R"({"at":1})"};
    }
    case 1:
      return commit_op{id,
                       proof,
                       R"({"path":"x"})",
                       {{"/s/a", "/l/a", 5, "ab", roll(2) == 0}}};
    case 2:
    case 3:
    case 4:
      return succeed_op{id, proof, roll(2) == 0 ? "" : R"({"size":1})"};
    case 5:
      return release_op{id, proof, static_cast<release_reason>(roll(2))};
    case 6:
      return cancel_op{id};
    default:
      return roll(3) == 0 ? operation{purge_op{id}} : operation{cancel_op{id}};
    }
  }

  void learn(const std::vector<job>& jobs) {
    for (const auto& it : jobs)
      fences_[it.id].push_back(it.fence);
  }

  void apply_some() {
    std::vector<operation> ops;
    ops.push_back(some_ordering_operation());
    for (auto left = roll(6); left > 0; --left)
      ops.push_back(some_operation());
    const auto one = must(stores_[0]->apply(ops));
    const auto other = must(stores_[1]->apply(ops));
    ASSERT_EQ(one.size(), other.size());
    for (std::size_t i = 0; i < one.size(); ++i) {
      SCOPED_TRACE("operation " + std::to_string(ops[i].index()));
      EXPECT_EQ(one[i].error, other[i].error);
      EXPECT_EQ(one[i].changed, other[i].changed);
      EXPECT_EQ(one[i].replayed, other[i].replayed);
      EXPECT_EQ(one[i].follow, other[i].follow);
      expect_same(one[i].job, other[i].job);
    }
  }

  void claim_some() {
    claim_request request;
    request.queue = roll(3) == 0 ? "bulk" : "download";
    request.node = "node" + std::to_string(roll(2));
    request.nonce = ++nonce_;
    request.max = static_cast<std::uint32_t>(roll(6));
    request.lease_ms = lease_ms;
    request.urgent = roll(4) == 0;
    const auto one = must(stores_[0]->claim(request));
    const auto other = must(stores_[1]->claim(request));
    expect_same(one.jobs, other.jobs);
    expect_same(by_id(one.promoted), by_id(other.promoted));
    learn(one.jobs);
  }

  void renew_some() {
    std::vector<held_lease> held;
    for (auto left = roll(6); left > 0; --left) {
      const auto id = some_id();
      held.push_back({id, some_fence(id)});
    }
    EXPECT_EQ(must(stores_[0]->renew(held, lease_ms)),
              must(stores_[1]->renew(held, lease_ms)));
  }

  /// The order within a kind is a store's own.
  static std::vector<job> by_id(std::vector<job> jobs) {
    std::ranges::sort(jobs, {}, &job::id);
    return jobs;
  }

  void sweep_some() {
    sweep_request request{.node = "node" + std::to_string(roll(2)),
                          .nonce = ++nonce_,
                          .lease_ms = lease_ms};
    const bool adopts = roll(8) == 0;
    const auto step = [&](job_store& store) {
      return must(adopts ? store.adopt(request) : store.sweep(request));
    };
    const auto one = step(*stores_[0]);
    const auto other = step(*stores_[1]);
    expect_same(by_id(one.queued), by_id(other.queued));
    expect_same(by_id(one.expired), by_id(other.expired));
    expect_same(by_id(one.roll_forward), by_id(other.roll_forward));
    expect_same(by_id(one.changed), by_id(other.changed));
    learn(one.roll_forward);
    if (!adopts) {
      EXPECT_EQ(one.next_due == 0, other.next_due == 0);
      EXPECT_LE(std::abs(one.next_due - other.next_due), tolerance_ms);
    }
  }

  /// What depends on what has ended, until there is no more.
  void follow_all() {
    const auto all = [&](job_store& store) {
      std::vector<job> changed;
      for (bool more = true; more;) {
        auto step = must(store.follow({"node0", 1, lease_ms, 256}));
        std::ranges::move(step.changed, std::back_inserter(changed));
        more = step.more;
      }
      return by_id(std::move(changed));
    };
    const auto one = all(*stores_[0]);
    expect_same(one, all(*stores_[1]));
  }

  void compare_lists() {
    list_query query;
    if (roll(2) == 0)
      query.state = static_cast<job_state>(roll(job_state_count));
    if (roll(3) == 0)
      query.batch = "batch" + std::to_string(roll(2));
    if (roll(3) == 0)
      query.type = "noop";
    query.page_size = static_cast<std::uint32_t>(1 + roll(40));
    auto twin = query; // a page token is its store's own
    for (bool more = true; more;) {
      const auto one = must(stores_[0]->list(query));
      const auto other = must(stores_[1]->list(twin));
      expect_same(one.jobs, other.jobs);
      EXPECT_EQ(one.next_page_token.empty(), other.next_page_token.empty());
      more = !one.next_page_token.empty() && !HasFailure();
      query.page_token = one.next_page_token;
      twin.page_token = other.next_page_token;
    }
  }

  void compare_depths() {
    std::map<std::string, queue_depth> one, other;
    for (const auto& depth : must(stores_[0]->depths()))
      one[depth.queue] = depth;
    for (const auto& depth : must(stores_[1]->depths()))
      other[depth.queue] = depth;
    for (const auto& [queue, depth] : one) {
      for (std::size_t state = 0; state < job_state_count; ++state)
        EXPECT_EQ(depth.by_state[state], other[queue].by_state[state])
          << queue << " " << to_string(static_cast<job_state>(state));
      EXPECT_LE(std::abs(depth.oldest_age_ms - other[queue].oldest_age_ms),
                tolerance_ms);
    }
  }

  void step() {
    const auto what = roll(20);
    if (what < 10)
      apply_some();
    else if (what < 14)
      claim_some();
    else if (what < 16)
      renew_some();
    else if (what < 18)
      sweep_some();
    else
      what == 18 ? compare_lists() : compare_depths();
    follow_all();
    offset_ += 1000 * (1 + static_cast<std::int64_t>(roll(20)));
  }

private:
  std::mt19937_64 random_{GetParam()};
  std::int64_t offset_ = 0;
  std::uint64_t made_ = 0;
  std::uint64_t nonce_ = 0;
  std::map<std::string, std::vector<fence>> fences_;
  std::vector<std::unique_ptr<store_fixture>> places_;
  std::vector<std::unique_ptr<job_store>> stores_;
};

TEST_P(Lockstep, RandomOperationsAreAnsweredAlikeByBothStores) {
  for (int i = 0; i < 1500 && !HasFailure(); ++i) {
    SCOPED_TRACE("step " + std::to_string(i));
    step();
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Lockstep, ::testing::Range(1u, 5u));

} // namespace

} // namespace troupe::store::testing
