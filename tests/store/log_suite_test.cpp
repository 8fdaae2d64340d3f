#include "actors/store/job_log.hpp"
#include "tests/store/store_suite.hpp"

#include <algorithm>

/// What a job's log tells.
namespace troupe::store::testing {
namespace {

class LogSuite : public StoreSuite {
protected:
  std::string shown(const std::string& id) {
    return shown_log(get(id), store().log_of(id).value());
  }

  /// The messages of the log, with a level that is not info.
  std::vector<std::string> told(const std::string& id) {
    std::vector<std::string> lines;
    const auto text = shown(id);
    for (std::size_t at = 0; at < text.size();) {
      const auto end = text.find('\n', at);
      const auto line = text.substr(at, end - at);
      const auto words = line.substr(line.find(' ') + 1);
      lines.push_back(words.starts_with("info ") ? words.substr(5) : words);
      at = end + 1;
    }
    return lines;
  }
};

using lines = std::vector<std::string>;

INSTANTIATE_TEST_SUITE_P(Stores, LogSuite, ::testing::ValuesIn(store_kinds()),
                         ::testing::PrintToStringParamName());

TEST_P(LogSuite, KeepsTheNewestLinesOfAJobsLog) {
  const auto it = submit();
  EXPECT_EQ(store().log_of(it.id).value(), "");

  apply(log_op{it.id, "one\n"});
  apply_all({log_op{it.id, "two\n"}, log_op{it.id, "three\n"}});
  EXPECT_EQ(store().log_of(it.id).value(), "one\ntwo\nthree\n");
  for (char i = 0; i < 20; ++i)
    apply(log_op{it.id, std::string(7999, static_cast<char>('A' + i)) + '\n'});

  const auto text = store().log_of(it.id).value();
  EXPECT_EQ(text.size(), 64'000u);
  EXPECT_EQ(text.find("one"), text.npos);
  EXPECT_EQ(get(it.id).revision, 1u);
}

TEST_P(LogSuite, LinesThatAreOfferedAgainStandOnce) {
  const auto it = submit();
  const log_op two{it.id, "12:01 b\n12:02 c\n"};
  apply(log_op{it.id, "12:00 a\n"});
  apply(two);

  apply_all({two, log_op{it.id, "02 c\n"}});

  EXPECT_EQ(store().log_of(it.id).value(), "12:00 a\n12:01 b\n12:02 c\n02 c\n");
}

TEST_P(LogSuite, ALogGoesWithItsJob) {
  const auto it = submit();
  apply(log_op{it.id, "one\n"});
  cancel(it.id);
  purge(it.id);
  EXPECT_EQ(store().log_of(it.id).error().code, errc::not_found);

  auto again = draft();
  again.id = it.id;
  submit(again);

  EXPECT_EQ(store().log_of(it.id).value(), "");
  EXPECT_EQ(apply(log_op{"nobody", "x\n"}).error, errc::not_found);
}

TEST_P(LogSuite, TheStraightWayIsToldWithoutAStoredLine) {
  const auto held = running();
  EXPECT_EQ(told(held.id), (lines{"created", "attempt 1 started on node-1"}));

  succeed(held);

  EXPECT_EQ(told(held.id),
            (lines{"created", "attempt 1 started on node-1", "succeeded"}));
  EXPECT_TRUE(get(held.id).notes.empty());
  EXPECT_EQ(store().log_of(held.id).value(), "");
}

TEST_P(LogSuite, TellsOfPausesAndOfEveryAttempt) {
  const auto held = running();
  pause(held.id);
  release(held, release_reason::drain);
  resume(held.id);
  node = "node-2";
  const auto again = claim().at(0);
  fail(again);
  advance(3600 * second);
  sweep();
  const auto last = claim().at(0);
  succeed(last);

  EXPECT_EQ(told(held.id),
            (lines{"created", "attempt 1 started on node-1", "it is to pause",
                   "attempt 1 was stopped and given back", "paused", "resumed",
                   "attempt 1 started on node-2",
                   "error attempt 1 failed: source_unavailable: 503",
                   "attempt 2 started on node-2", "succeeded"}));
}

TEST_P(LogSuite, TellsOfEndsThatWereTakenBack) {
  const auto held = running();
  fail(held, false);
  const lines failed{"created", "attempt 1 started on node-1",
                     "error attempt 1 failed: source_unavailable: 503",
                     "error failed: source_unavailable"};
  EXPECT_EQ(told(held.id), failed);

  retry(held.id);
  cancel(held.id);
  retry(held.id);
  const auto again = claim().at(0);
  cancel(held.id);
  release(again, release_reason::drain);

  auto all = failed;
  for (const auto* more :
       {"retried", "cancelled", "retried", "attempt 1 started on node-1",
        "it is to be cancelled", "cancelled"})
    all.emplace_back(more);
  EXPECT_EQ(told(held.id), all);
}

TEST_P(LogSuite, TellsOfALostNodeAndOfWhoPublishesInItsPlace) {
  const auto held = running();
  advance_renewing(lease_ms + 5 * second);
  sweep();
  const auto again = claim().at(0);
  commit(again);
  node = "node-2";
  advance_renewing(lease_ms + 5 * second);
  const auto taken = store().sweep({node, 9, lease_ms, 256});
  ASSERT_EQ(taken->roll_forward.size(), 1u);
  succeed(taken->roll_forward[0]);

  EXPECT_EQ(told(held.id),
            (lines{"created", "attempt 1 started on node-1",
                   "error attempt 1 failed: node_lost: the attempt was lost "
                   "with its node",
                   "attempt 1 started on node-1",
                   "its publication goes on on node-2", "succeeded"}));
}

TEST_P(LogSuite, WhatWasShownStaysWhereItIsWhateverIsSaid) {
  const auto held = running();
  std::string before;
  const auto look = [&] {
    const auto now = shown(held.id);
    EXPECT_EQ(now.substr(0, before.size()), before);
    EXPECT_GT(now.size(), before.size());
    before = now;
  };

  look();
  apply(log_op{held.id, "t info one\n"});
  look();
  pause(held.id);
  look();
  apply(log_op{held.id, "t info two\n"});
  look();
  release(held, release_reason::drain);
  look();
  resume(held.id);
  look();
  const auto again = claim().at(0);
  look();
  apply(log_op{held.id, "t info three\n"});
  look();
  succeed(again);
  look();

  EXPECT_EQ(told(held.id).at(2), "one");
  EXPECT_EQ(std::ranges::count(told(held.id), "attempt 1 started on node-1"),
            2);
}

TEST_P(LogSuite, OfVeryManyPausesTheNewestAreTold) {
  const auto it = submit();
  for (int i = 0; i < 40; ++i) {
    pause(it.id);
    resume(it.id);
  }

  const auto all = told(it.id);

  EXPECT_EQ(get(it.id).notes.size(), max_notes);
  EXPECT_EQ(all.at(0), "created");
  EXPECT_EQ(all.at(1), "17 lines are left out");
  EXPECT_EQ(all.back(), "resumed");
}

} // namespace
} // namespace troupe::store::testing
