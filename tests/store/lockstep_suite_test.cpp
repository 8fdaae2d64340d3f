#include "tests/store/reference_model.hpp"
#include "tests/store/store_suite.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>

/// Random operations, done to a store and to the reference model, answer for
/// answer. TROUPE_LOCKSTEP_SEED repeats a failure.
namespace troupe::store::testing {
namespace {

class LockstepSuite : public StoreSuite {
protected:
  // Times are multiples of ten seconds; leases, delays and backoffs end in
  // between, so the few seconds that a test really takes decide nothing.
  static constexpr std::int64_t tick = 10 * second;
  static constexpr std::int64_t long_lease = 45 * second;

  void SetUp() override {
    options.lease_ms = long_lease;
    const char* asked = std::getenv("TROUPE_LOCKSTEP_SEED");
    seed_ = asked != nullptr ? std::strtoull(asked, nullptr, 10)
                             : std::random_device{}();
    random_.seed(seed_);
    RecordProperty("seed", std::to_string(seed_));
  }

  [[nodiscard]] std::string where(int step) const {
    return "TROUPE_LOCKSTEP_SEED=" + std::to_string(seed_) + ", step "
           + std::to_string(step);
  }

  void do_something() {
    // Two milliseconds apart, no two calls see the same time.
    advance(2);
    model_.advance(0);
    switch (below(13)) {
    case 12:
      return put_limits();
    case 0:
      return let_time_go_by();
    case 1:
    case 2:
      return claim_some();
    case 3:
      return renew_some();
    case 4:
      return sweep_all();
    case 5:
      return below(4) == 0 ? adopt_all() : sweep_all();
    default:
      return apply_some();
    }
  }

  void compare_all() {
    std::vector<seen_job> stored;
    list_query everything;
    everything.page_size = 1000;
    for (const auto& it : list(everything))
      stored.push_back(seen(it));
    const auto expected = model_.all_newest_first();
    ASSERT_EQ(ids_of_seen(stored), ids_of_seen(expected));
    EXPECT_TRUE(stored == expected);
    for (std::size_t state = 0; state < job_state_count; ++state)
      EXPECT_EQ(depth(job_state(state)) + depth(job_state(state), "image"),
                std::uint64_t(std::ranges::count(expected, job_state(state),
                                                 &seen_job::state)))
        << to_string(job_state(state));
  }

private:
  std::uint64_t below(std::uint64_t limit) {
    return random_() % limit;
  }

  template <std::size_t N>
  std::string one_of(const std::array<const char*, N>& words) {
    return words[below(N)];
  }

  static std::vector<std::string>
  ids_of_seen(const std::vector<seen_job>& jobs) {
    std::vector<std::string> ids;
    for (const auto& it : jobs)
      ids.push_back(it.id);
    return ids;
  }

  static std::set<std::string> id_set(const std::vector<job>& jobs) {
    const auto ids = ids_of(jobs);
    return {ids.begin(), ids.end()};
  }

  void let_time_go_by() {
    const auto ms = std::int64_t(1 + below(3)) * tick;
    advance(ms);
    model_.advance(ms);
  }

  job_draft random_draft() {
    static constexpr std::array keys{"", "", "", "k1", "k2"};
    static constexpr std::array groups{"", "a", "b"};
    static constexpr std::array<std::int32_t, 4> priorities{0, 5, 5, 9};
    auto made = draft(below(4) == 0 ? "image" : "download",
                      priorities[below(priorities.size())]);
    if (!known_.empty() && below(12) == 0)
      made.id = some_id();
    made.unique_key = one_of(keys);
    made.concurrency_key = one_of(groups);
    made.delay_ms = below(4) == 0 ? 23 * second : 0;
    made.deadline_ms = below(6) == 0 ? 2 * second : 0;
    made.max_attempts = std::uint32_t(1 + below(3));
    made.backoff = {17, 1, 600, 0};
    known_.push_back(made.id);
    return made;
  }

  std::string some_id() {
    return known_.empty() ? "nobody" : known_[below(known_.size())];
  }

  /// Often a lease that is good, often one that was.
  held_lease some_lease() {
    if (held_.empty() || below(20) == 0)
      return {some_id(), {below(3), below(3)}};
    const auto recent = std::min<std::uint64_t>(held_.size(), 8);
    return held_[held_.size() - 1 - below(recent)];
  }

  operation random_operation() {
    static constexpr std::array scopes{"", "", "", "s1", "s2", "s3"};
    const auto lease = some_lease();
    switch (below(15)) {
    case 14:
      return withdraw_op{some_id(), one_of(scopes)};
    case 12:
      return pause_op{some_id()};
    case 13:
      return resume_op{some_id()};
    case 0:
      return succeed_op{lease.id, lease.fence, "{}"};
    case 1:
      return commit_op{lease.id, lease.fence, "{}", some_files()};
    case 2:
    case 3:
      return fail_op{lease.id, lease.fence, "x", "y", below(4) != 0, 0, ""};
    case 4:
      return release_op{lease.id, lease.fence,
                        below(2) == 0 ? release_reason::drain
                                      : release_reason::node_lost};
    case 5:
      return checkpoint_op{
        lease.id, lease.fence, {}, std::to_string(below(1000))};
    case 6:
      return cancel_op{some_id()};
    case 7:
      return retry_op{some_id()};
    case 8:
      return purge_op{some_id()};
    default:
      return submit_op{random_draft(),
                       {one_of(scopes), below(8) == 0 ? "h2" : "h1"}};
    }
  }

  /// Within a group a store may or may not see time go by. So that this does
  /// not decide who is next, one job is made ready anew, or new ones are made.
  static bool races(const std::vector<operation>& group, const operation& op) {
    const auto renews = [](const operation& one) {
      return std::holds_alternative<fail_op>(one)
             || std::holds_alternative<retry_op>(one);
    };
    const auto readies = [&](const operation& one) {
      return renews(one) || std::holds_alternative<submit_op>(one);
    };
    return renews(op) ? std::ranges::any_of(group, readies)
                      : readies(op) && std::ranges::any_of(group, renews);
  }

  void apply_some() {
    std::vector<operation> group;
    for (auto count = 1 + below(6); count > 0; --count)
      if (auto op = random_operation(); !races(group, op))
        group.push_back(std::move(op));
    const auto answers = apply_all(group);
    ASSERT_EQ(answers.size(), group.size());
    for (std::size_t i = 0; i < group.size(); ++i) {
      const auto& it = answers[i];
      const seen_answer got{it.error, it.changed, it.replayed, seen(it.job)};
      const auto expected = model_.apply(group[i]);
      EXPECT_EQ(got.error, expected.error) << "kind " << group[i].index();
      if (got.error == errc::none) {
        EXPECT_TRUE(got == expected)
          << "kind " << group[i].index() << " of " << got.job.id;
      }
    }
  }

  void claim_some() {
    claim_request request{below(4) == 0 ? "image" : "download",
                          below(3) == 0 ? "node-2" : "node-1",
                          nonce++,
                          std::uint32_t(1 + below(4)),
                          long_lease,
                          below(4) == 0};
    const auto leased = store().claim(request);
    ASSERT_TRUE(leased);
    std::vector<seen_job> got;
    for (const auto& it : leased->jobs) {
      got.push_back(seen(it));
      held_.push_back({it.id, it.fence});
    }
    const auto expected = model_.claim(request);
    EXPECT_EQ(ids_of_seen(got), ids_of_seen(expected));
    EXPECT_TRUE(got == expected);
  }

  /// A token comes every 25 seconds.
  void put_limits() {
    static constexpr std::array<double, 4> rates{0, 0, 0, 0.04};
    static constexpr std::array keys{"a", "b"};
    put_queue_op queue;
    queue.queue = below(3) == 0 ? "image" : "download";
    if (below(2) == 0)
      queue.paused = below(4) == 0;
    if (below(2) == 0)
      queue.concurrency = std::uint32_t(below(2) * below(6));
    if (below(2) == 0)
      queue.rate_per_s = rates[below(rates.size())];
    if (below(2) == 0)
      queue.key_concurrency = std::uint32_t(below(3));
    const put_limit_op key{one_of(keys), std::uint32_t(below(3)),
                           rates[below(rates.size())]};
    const auto op = below(2) == 0 ? operation{queue} : operation{key};
    EXPECT_EQ(apply(op).changed, model_.apply(op).changed);
  }

  void renew_some() {
    std::vector<held_lease> leases;
    for (auto count = below(6); count > 0; --count)
      leases.push_back(some_lease());
    const auto answers = store().renew(leases, long_lease);
    ASSERT_TRUE(answers);
    EXPECT_EQ(*answers, model_.renew(leases));
  }

  void compare(const result<sweep_result>& got,
               const reference_model::swept& expected) {
    ASSERT_TRUE(got);
    EXPECT_EQ(id_set(got->queued), expected[0]);
    EXPECT_EQ(id_set(got->expired), expected[1]);
    EXPECT_EQ(id_set(got->roll_forward), expected[2]);
    for (const auto& it : got->roll_forward)
      held_.push_back({it.id, it.fence});
  }

  void sweep_all() {
    const sweep_request request{"node-1", nonce++, long_lease, 256};
    compare(store().sweep(request), model_.sweep(request));
  }

  void adopt_all() {
    const sweep_request request{"node-1", nonce++, long_lease, 256};
    compare(store().adopt(request), model_.adopt(request));
  }

  std::uint64_t seed_ = 0;
  std::mt19937_64 random_;
  reference_model model_{long_lease};
  std::vector<std::string> known_;
  std::vector<held_lease> held_;
};

INSTANTIATE_TEST_SUITE_P(Stores, LockstepSuite,
                         ::testing::ValuesIn(store_kinds()),
                         ::testing::PrintToStringParamName());

TEST_P(LockstepSuite, AnswersAsTheReferenceModelDoes) {
  for (int step = 0; step < 300 && !HasFailure(); ++step) {
    SCOPED_TRACE(where(step));
    do_something();
    if (step % 10 == 9)
      compare_all();
  }
}

} // namespace
} // namespace troupe::store::testing
