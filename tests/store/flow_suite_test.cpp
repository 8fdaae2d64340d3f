#include "tests/store/store_suite.hpp"

#include <algorithm>

/// Limits of queues and keys: who is let through, and that every slot returns.
namespace troupe::store::testing {
namespace {

class FlowSuite : public StoreSuite {
protected:
  void pause_queue(bool paused) {
    put_queue_op op;
    op.queue = "download";
    op.paused = paused;
    EXPECT_EQ(apply(op).error, errc::none);
  }

  void limit_each_key(std::uint32_t concurrency) {
    put_queue_op op;
    op.queue = "download";
    op.key_concurrency = concurrency;
    EXPECT_EQ(apply(op).error, errc::none);
  }

  /// Claims all that it can, ends it, and so on. @return how many came
  std::size_t drain(std::uint32_t at_most_at_once) {
    std::size_t count = 0;
    for (;;) {
      const auto some = claim(100);
      EXPECT_LE(some.size(), at_most_at_once);
      if (some.empty() || HasFailure())
        return count;
      count += some.size();
      for (const auto& it : some)
        succeed(it);
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, FlowSuite, ::testing::ValuesIn(store_kinds()),
                         ::testing::PrintToStringParamName());

TEST_P(FlowSuite, APausedQueueGivesNothingAndGoesOnWhereItStood) {
  const auto first = submit().id;
  const auto other = submit().id;
  submit(draft("video"));
  pause_queue(true);

  EXPECT_TRUE(claim(10).empty());
  EXPECT_EQ(claim(10, "video").size(), 1u);
  pause_queue(false);
  EXPECT_EQ(ids_of(claim(10)), (std::vector{first, other}));
}

TEST_P(FlowSuite, APausedQueueStaysSoWhenTheStoreIsOpenedAnew) {
  if (!persists())
    GTEST_SKIP();
  submit();
  pause_queue(true);
  reopen();

  EXPECT_TRUE(claim(10).empty());
}

TEST_P(FlowSuite, AQueueRunsNoMoreThanItsConcurrency) {
  for (int i = 0; i < 7; ++i)
    submit();
  limit_queue("download", 3);

  const auto held = claim(10);
  EXPECT_EQ(held.size(), 3u);
  const auto told = claim_told(10);
  EXPECT_TRUE(told.jobs.empty());
  EXPECT_TRUE(told.limited);
  EXPECT_EQ(told.next_at, 0);
  succeed(held[0]);
  EXPECT_EQ(claim(10).size(), 1u);
  EXPECT_TRUE(claim(10).empty());
}

TEST_P(FlowSuite, AGroupAtItsLimitHoldsUpNobody) {
  submit_keyed("busy", 50);
  const auto other = submit_keyed("calm", 2);
  const auto keyless = submit().id;
  limit_key("busy", 2);

  const auto first = claim(3);
  ASSERT_EQ(first.size(), 3u);
  EXPECT_EQ(first[2].id, other[0]);
  EXPECT_EQ(ids_of(claim(10)), (std::vector{other[1], keyless}));
  EXPECT_TRUE(claim(10).empty());
}

TEST_P(FlowSuite, AKeysLimitHoldsOverAllQueues) {
  submit_keyed("k", 2);
  auto elsewhere = draft("video");
  elsewhere.concurrency_key = "k";
  submit(elsewhere);
  limit_key("k", 2);

  const auto one = claim(1);
  ASSERT_EQ(claim(5, "video").size(), 1u);
  EXPECT_TRUE(claim(5).empty());
  succeed(one.at(0));
  EXPECT_EQ(claim(5).size(), 1u);
  EXPECT_TRUE(claim(5).empty());
}

TEST_P(FlowSuite, AGroupKeepsItsOrderWhileItWaits) {
  limit_key("k", 1);
  auto low = keyed("k");
  low.priority = 0;
  const auto last = submit(low).id;
  auto ids = submit_keyed("k", 3);
  auto high = keyed("k");
  high.priority = 9;
  ids.insert(ids.begin(), submit(high).id);
  ids.push_back(last);

  std::vector<std::string> came;
  while (came.size() < ids.size()) {
    const auto some = claim(10);
    ASSERT_EQ(some.size(), 1u);
    EXPECT_TRUE(claim(10).empty());
    came.push_back(some[0].id);
    succeed(some[0]);
  }
  EXPECT_EQ(came, ids);
}

TEST_P(FlowSuite, EveryEndOfALeaseReturnsItsSlot) {
  const auto ends = [this](const job& held, int how) {
    switch (how) {
    case 0:
      return succeed(held).error;
    case 1:
      return fail(held, false).error;
    case 2:
      return fail(held, true).error;
    case 3:
      return release(held, release_reason::drain).error;
    case 4:
      return release(held, release_reason::node_lost).error;
    case 5:
      cancel(held.id);
      return fail(held).error;
    default:
      commit(held);
      return succeed(held).error;
    }
  };
  limit_key("k", 1);
  limit_queue("download", 1);
  submit_keyed("k", 10);

  for (int how = 0; how < 7; ++how) {
    SCOPED_TRACE(how);
    const auto held = claim(10);
    ASSERT_EQ(held.size(), 1u);
    EXPECT_TRUE(claim(10).empty());
    EXPECT_EQ(ends(held[0], how), errc::none);
  }
  EXPECT_EQ(claim(10).size(), 1u);
}

TEST_P(FlowSuite, ACancelledJobHoldsItsSlotUntilItsAttemptHasEnded) {
  limit_key("k", 1);
  submit_keyed("k", 2);
  const auto held = claim(10);
  cancel(held.at(0).id);

  EXPECT_TRUE(claim(10).empty());
  EXPECT_EQ(fail(held[0]).job.state, job_state::cancelled);
  EXPECT_EQ(claim(10).size(), 1u);
}

TEST_P(FlowSuite, AnExpiredLeaseReturnsItsSlotOnce) {
  limit_key("k", 1);
  submit_keyed("k", 3);
  const auto lost = claim(10);
  ASSERT_EQ(lost.size(), 1u);
  advance_renewing(2 * lease_ms + second);
  EXPECT_EQ(sweep().expired.size(), 1u);

  const auto held = claim(10);
  EXPECT_EQ(held.size(), 1u);
  release(lost[0], release_reason::node_lost);
  EXPECT_TRUE(claim(10).empty());
}

TEST_P(FlowSuite, AnAdoptedLeaseReturnsItsSlot) {
  limit_key("k", 2);
  submit_keyed("k", 4);
  const auto held = claim(10);
  ASSERT_EQ(held.size(), 2u);
  commit(held[1]);

  const auto found = store().adopt({node, nonce++, lease_ms, 256});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->expired.size(), 1u);
  EXPECT_EQ(found->roll_forward.size(), 1u);
  EXPECT_EQ(claim(10).size(), 1u);
  succeed(found->roll_forward[0]);
  EXPECT_EQ(claim(10).size(), 1u);
}

TEST_P(FlowSuite, ALimitCountsWhatRanBeforeItWasSet) {
  submit_keyed("k", 5);
  const auto held = claim(3);
  ASSERT_EQ(held.size(), 3u);
  limit_key("k", 2);

  EXPECT_TRUE(claim(10).empty());
  succeed(held[0]);
  EXPECT_TRUE(claim(10).empty());
  succeed(held[1]);
  EXPECT_EQ(claim(10).size(), 1u);
}

TEST_P(FlowSuite, AHigherLimitLetsMoreRunAtOnce) {
  limit_key("k", 1);
  submit_keyed("k", 5);
  EXPECT_EQ(claim(10).size(), 1u);
  EXPECT_TRUE(claim(10).empty());

  limit_key("k", 3);
  EXPECT_EQ(claim(10).size(), 2u);
  limit_key("k", 0);
  EXPECT_EQ(claim(10).size(), 2u);
  EXPECT_EQ(drain(0), 0u);
}

TEST_P(FlowSuite, LimitsThatComeAndGoCountAnew) {
  limit_key("k", 1);
  limit_key("k", 0);
  submit_keyed("k", 4);
  EXPECT_EQ(claim(2).size(), 2u);
  limit_key("k", 3);

  EXPECT_EQ(claim(10).size(), 1u);
}

TEST_P(FlowSuite, AQueueMayLimitEachOfItsKeys) {
  for (int i = 0; i < 3; ++i)
    submit_keyed("host" + std::to_string(i), 3);
  submit();
  limit_each_key(1);
  limit_key("host2", 2);

  EXPECT_EQ(claim(20).size(), 1u + 1 + 2 + 1);
  EXPECT_TRUE(claim(20).empty());
  limit_each_key(2);
  EXPECT_EQ(claim(20).size(), 2u);
  limit_each_key(0);
  EXPECT_EQ(claim(20).size(), 2u);
}

TEST_P(FlowSuite, AKeysRateTellsWhenToComeBack) {
  limit_key("k", 0, 0.1);
  submit_keyed("k", 3);

  EXPECT_EQ(claim(10).size(), 1u);
  const auto told = claim_told(10);
  EXPECT_TRUE(told.jobs.empty());
  const auto now = sweep().now;
  EXPECT_GT(told.next_at, now + 8 * second);
  EXPECT_LE(told.next_at, now + 10 * second);
  advance(7 * second);
  EXPECT_TRUE(claim(10).empty());
  advance(4 * second);
  EXPECT_EQ(claim(10).size(), 1u);
  EXPECT_TRUE(claim(10).empty());
}

TEST_P(FlowSuite, AQueuesRateTellsWhenToComeBack) {
  limit_queue("download", 0, 0.1);
  submit_keyed("k", 1);
  submit();
  submit();

  EXPECT_EQ(claim(10).size(), 1u);
  const auto told = claim_told(10);
  EXPECT_TRUE(told.jobs.empty());
  EXPECT_NE(told.next_at, 0);
  advance(11 * second);
  EXPECT_EQ(claim(10).size(), 1u);
  limit_queue("download", 0, 0);
  EXPECT_EQ(claim(10).size(), 1u);
}

TEST_P(FlowSuite, AGroupThatWaitsForATokenHoldsUpNobody) {
  limit_key("k", 5, 0.1);
  submit_keyed("k", 3);
  const auto other = submit().id;

  EXPECT_EQ(claim(10).size(), 2u);
  const auto next = submit().id;
  EXPECT_EQ(ids_of(claim(10)), std::vector{next});
  advance(11 * second);
  EXPECT_EQ(claim(10).size(), 1u);
}

TEST_P(FlowSuite, ManyFullGroupsHoldUpNobody) {
  limit_each_key(1);
  std::vector<operation> ops;
  for (int i = 0; i < 600; ++i)
    for (int k = 0; k < 2; ++k)
      ops.emplace_back(submit_op{keyed("host" + std::to_string(i)), {}});
  apply_all(ops);
  ASSERT_EQ(claim(1000).size(), 600u);

  const auto free = submit_keyed("free", 1);
  EXPECT_EQ(ids_of(claim(10)), free);
  EXPECT_TRUE(claim(10).empty());
}

TEST_P(FlowSuite, AParkedJobMayBeCancelledAndItsGroupEmptied) {
  limit_key("k", 1);
  const auto ids = submit_keyed("k", 4);
  const auto held = claim(10);
  EXPECT_TRUE(claim(10).empty());
  cancel(ids[1]);
  cancel(ids[2]);
  succeed(held.at(0));

  EXPECT_EQ(ids_of(claim(10)), std::vector{ids[3]});
  EXPECT_TRUE(claim(10).empty());
}

TEST_P(FlowSuite, AParkedGroupCountsForTheAgeOfItsQueue) {
  limit_key("k", 1);
  submit_keyed("k", 2);
  claim(10);
  EXPECT_TRUE(claim(10).empty());
  advance(30 * second);

  const auto depths = store().depths();
  ASSERT_TRUE(depths.has_value());
  EXPECT_GE(depths->at(0).oldest_age_ms, 30 * second);
}

TEST_P(FlowSuite, AClaimTellsWhatItPromoted) {
  auto later = draft("video");
  later.delay_ms = 10 * second;
  const auto id = submit(later).id;
  advance(11 * second);

  const auto told = claim_told(1);
  EXPECT_TRUE(told.jobs.empty());
  EXPECT_EQ(ids_of(told.promoted), std::vector{id});
  EXPECT_FALSE(told.limited);
}

TEST_P(FlowSuite, TellsWhatLimitsQueuesAndKeys) {
  submit();
  put_queue_op op{"video", true, 3, 2.5, 4};
  apply(op);
  limit_key("k", 7, 0.5);

  const auto queues = store().queues();
  ASSERT_TRUE(queues.has_value());
  const auto found = std::ranges::find(*queues, "video", &queue_info::queue);
  ASSERT_NE(found, queues->end());
  const auto& video = *found;
  EXPECT_TRUE(video.paused);
  EXPECT_EQ(video.concurrency, 3u);
  EXPECT_EQ(video.rate_per_s, 2.5);
  EXPECT_EQ(video.key_concurrency, 4u);
  EXPECT_EQ(store().limit_of("k")->concurrency, 7u);
  EXPECT_EQ(store().limit_of("k")->rate_per_s, 0.5);
  EXPECT_EQ(store().limit_of("other")->concurrency, 0u);
}

TEST_P(FlowSuite, AnUnchangedLimitIsNoChange) {
  EXPECT_TRUE(apply(put_limit_op{"k", 2, 0}).changed);
  EXPECT_FALSE(apply(put_limit_op{"k", 2, 0}).changed);
  EXPECT_TRUE(apply(put_limit_op{"k", 0, 0}).changed);
  EXPECT_FALSE(apply(put_limit_op{"k", 0, 0}).changed);
}

} // namespace
} // namespace troupe::store::testing
