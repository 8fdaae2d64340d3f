#include "tests/store/store_suite.hpp"

/// Recurring jobs.
namespace troupe::store::testing {
namespace {

class ScheduleSuite : public StoreSuite {
protected:
  static constexpr std::int64_t minute = 60 * second;
  static constexpr std::int64_t hour = 60 * minute;

  schedule made(const std::string& cron = "0 * * * *") {
    schedule it;
    it.name = "nightly";
    it.cron = cron;
    it.owner = "anna";
    it.job = draft();
    it.job.id.clear();
    return it;
  }

  errc put(const schedule& it) {
    return apply(put_schedule_op{it}).error;
  }

  schedule read() {
    return store().get_schedule("nightly").value();
  }

  /// To so long after the next time of the schedule.
  void advance_past_next(std::int64_t ms) {
    now_ = now_ == 0 ? sweep().now : now_;
    const auto by = read().next_at + ms - now_;
    advance(by);
    now_ += by;
  }

private:
  timestamp_ms now_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Stores, ScheduleSuite,
                         ::testing::ValuesIn(store_kinds()),
                         ::testing::PrintToStringParamName());

TEST_P(ScheduleSuite, MakesAJobWhenItIsDue) {
  EXPECT_EQ(put(made()), errc::none);
  const auto before = read();
  EXPECT_EQ(before.next_at % hour, 0);
  EXPECT_GT(before.generation, 0u);
  EXPECT_TRUE(follow().changed.empty());
  EXPECT_LE(sweep().next_due, before.next_at);

  advance_past_next(second);
  const auto jobs = follow().changed;

  ASSERT_EQ(jobs.size(), 1u);
  EXPECT_EQ(jobs[0].state, job_state::queued);
  EXPECT_EQ(jobs[0].owner, "anna");
  EXPECT_EQ(jobs[0].id.size(), 26u);
  const auto after = read();
  EXPECT_EQ(after.next_at, before.next_at + hour);
  EXPECT_EQ(after.last_at, before.next_at);
  EXPECT_EQ(after.last_job, jobs[0].id);
  EXPECT_TRUE(follow().changed.empty());
}

TEST_P(ScheduleSuite, RefusesWhatIsNoTime) {
  EXPECT_EQ(put(made("every noon")), errc::bad_schedule);
  auto nowhere = made();
  nowhere.timezone = "Mars/Olympus";
  EXPECT_EQ(put(nowhere), errc::bad_schedule);

  EXPECT_TRUE(store().schedules().value().empty());
}

TEST_P(ScheduleSuite, ListsDropsAndReplaces) {
  auto other = made();
  other.name = "other";
  put(other);
  put(made());
  const auto all = store().schedules().value();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "nightly");
  EXPECT_EQ(all[1].job.params, other.job.params);

  auto same = made();
  same.catch_up = catch_up_policy::all;
  put(same);
  EXPECT_EQ(read().generation, all[0].generation);
  EXPECT_EQ(read().catch_up, catch_up_policy::all);
  put(made("30 * * * *"));
  EXPECT_GT(read().generation, all[0].generation);

  EXPECT_EQ(apply(drop_schedule_op{"nightly"}).error, errc::none);
  EXPECT_EQ(apply(drop_schedule_op{"nightly"}).error, errc::not_found);
  EXPECT_EQ(store().get_schedule("nightly").error().code, errc::not_found);
  const auto due = store().get_schedule("other").value().next_at;
  advance(due + 10 * minute - sweep().now);
  EXPECT_TRUE(follow().changed.empty()); // missed by more than a minute
}

TEST_P(ScheduleSuite, SkipsATimeWhileItsLastJobRuns) {
  put(made());
  advance_past_next(second);
  follow();
  advance_past_next(second);

  EXPECT_TRUE(follow().changed.empty());

  succeed(claim().at(0));
  advance_past_next(second);
  EXPECT_EQ(follow().changed.size(), 1u);
}

TEST_P(ScheduleSuite, MayOverlap) {
  auto it = made();
  it.overlap = overlap_policy::allow;
  put(it);
  advance_past_next(second);
  follow();
  advance_past_next(second);

  EXPECT_EQ(follow().changed.size(), 1u);
}

TEST_P(ScheduleSuite, ForgetsWhatWasMissed) {
  put(made());

  advance_past_next(5 * hour + 10 * minute);

  EXPECT_TRUE(follow().changed.empty());
  EXPECT_GT(read().next_at, 0);
  advance_past_next(second);
  EXPECT_EQ(follow().changed.size(), 1u);
}

TEST_P(ScheduleSuite, MakesUpForOneThatWasMissed) {
  auto it = made();
  it.catch_up = catch_up_policy::one;
  put(it);
  const auto first = read().next_at;

  advance_past_next(5 * hour + 10 * minute);

  EXPECT_EQ(follow().changed.size(), 1u);
  EXPECT_EQ(read().last_at, first + 5 * hour);
}

TEST_P(ScheduleSuite, MakesUpForAHundredAtMost) {
  auto it = made();
  it.catch_up = catch_up_policy::all;
  it.overlap = overlap_policy::allow;
  put(it);
  const auto first = read().next_at;

  advance_past_next(200 * hour + 10 * minute);

  EXPECT_EQ(follow().changed.size(), 100u);
  EXPECT_EQ(read().last_at, first + 200 * hour);
  EXPECT_EQ(read().next_at, first + 201 * hour);
}

TEST_P(ScheduleSuite, MakesUpForAllThoughTheyOverlapEachOther) {
  auto it = made();
  it.catch_up = catch_up_policy::all;
  put(it);

  advance_past_next(5 * hour + 10 * minute);

  EXPECT_EQ(follow().changed.size(), 6u);
  advance_past_next(second);
  EXPECT_TRUE(follow().changed.empty());
}

TEST_P(ScheduleSuite, MakesUpForTheRestWhenThereIsRoom) {
  options.max_queued = 2;
  auto it = made();
  it.catch_up = catch_up_policy::all;
  put(it);

  advance_past_next(2 * hour + 10 * minute);
  EXPECT_EQ(follow().changed.size(), 2u);
  claim(2);
  advance(2 * second);

  EXPECT_EQ(follow().changed.size(), 1u);
}

TEST_P(ScheduleSuite, WithoutRoomItTriesAgain) {
  options.max_queued = 1;
  const auto blocker = submit();
  put(made());
  advance_past_next(second);
  EXPECT_TRUE(follow().changed.empty());

  cancel(blocker.id);
  advance(2 * second);

  EXPECT_EQ(follow().changed.size(), 1u);
}

} // namespace
} // namespace troupe::store::testing
