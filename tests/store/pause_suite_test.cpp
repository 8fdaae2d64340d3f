#include "tests/store/store_suite.hpp"

/// Pause and resume, crashes, and children of a running job.
namespace troupe::store::testing {
namespace {

class PauseSuite : public StoreSuite {
protected:
  errc renew(const job& held) {
    const held_lease lease{held.id, held.fence};
    return store().renew({&lease, 1}, lease_ms)->at(0);
  }

  applied crash(const job& held) {
    return apply(fail_op{held.id, held.fence, "codec_crashed", "signal 11",
                         false, 0, "", true});
  }

  spawn_op spawn_of(const job& held, const std::vector<std::string>& items) {
    spawn_op op{held.id, held.fence, {}, R"({"at":3})", {}};
    for (const auto& item : items) {
      auto child = draft("bulk");
      child.id = child_id(held.id, item);
      op.children.push_back(child);
    }
    return op;
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, PauseSuite, ::testing::ValuesIn(store_kinds()),
                         ::testing::PrintToStringParamName());

TEST_P(PauseSuite, PausesWhatWaitsAndKeepsItsPlace) {
  const auto first = submit();
  const auto other = submit();

  const auto paused = pause(first.id);

  EXPECT_EQ(paused.error, errc::none);
  EXPECT_TRUE(paused.changed);
  EXPECT_EQ(paused.job.state, job_state::paused);
  EXPECT_EQ(depth(job_state::paused), 1u);
  EXPECT_FALSE(pause(first.id).changed);
  const auto resumed = resume(first.id);
  EXPECT_EQ(resumed.job.state, job_state::queued);
  EXPECT_EQ(resumed.job.revision, 3u);
  EXPECT_EQ(ids_of(claim(2)), (std::vector{first.id, other.id}));
}

TEST_P(PauseSuite, AJobScheduledForLaterWaitsOnAfterItsPause) {
  auto later = draft();
  later.delay_ms = 100 * second;
  const auto it = submit(later);
  pause(it.id);

  EXPECT_EQ(resume(it.id).job.state, job_state::scheduled);
  pause(it.id);
  advance(101 * second);

  EXPECT_TRUE(sweep().queued.empty());
  EXPECT_EQ(resume(it.id).job.state, job_state::queued);
}

TEST_P(PauseSuite, ARunningJobIsPausedWhenItsAttemptHasStopped) {
  const auto held = running();

  const auto wish = pause(held.id);

  EXPECT_EQ(wish.job.state, job_state::running);
  EXPECT_TRUE(wish.job.pausing);
  EXPECT_EQ(wish.job.revision, held.revision + 1);
  EXPECT_FALSE(pause(held.id).changed);
  EXPECT_EQ(renew(held), errc::pausing);
  apply(checkpoint_op{held.id, held.fence, {}, R"({"at":9})"});
  const auto paused = release(held, release_reason::drain);
  EXPECT_EQ(paused.job.state, job_state::paused);
  EXPECT_FALSE(paused.job.pausing);
  EXPECT_EQ(paused.job.attempt, 1u);
  EXPECT_EQ(paused.job.checkpoint, R"({"at":9})");
  EXPECT_TRUE(claim().empty());
  resume(held.id);
  EXPECT_EQ(claim().at(0).attempt, 1u);
}

TEST_P(PauseSuite, AWishToPauseIsWithdrawnWhileTheAttemptRuns) {
  const auto held = running();
  pause(held.id);

  const auto resumed = resume(held.id);

  EXPECT_TRUE(resumed.changed);
  EXPECT_FALSE(resumed.job.pausing);
  EXPECT_EQ(renew(held), errc::none);
  EXPECT_EQ(resume(held.id).error, errc::invalid_state);
  EXPECT_EQ(succeed(held).job.state, job_state::succeeded);
}

TEST_P(PauseSuite, APausingJobThatCommitsGoesThrough) {
  const auto held = running();
  pause(held.id);

  EXPECT_EQ(commit(held).error, errc::none);
  EXPECT_FALSE(pause(held.id).changed);
  EXPECT_FALSE(resume(held.id).changed);

  EXPECT_EQ(succeed(held).job.state, job_state::succeeded);
}

TEST_P(PauseSuite, WhatWouldBeAnotherAttemptOfAPausingJobIsPaused) {
  const auto failing = running();
  pause(failing.id);
  EXPECT_EQ(fail(failing).job.state, job_state::paused);
  EXPECT_EQ(get(failing.id).attempt, 1u);
  cancel(failing.id);

  const auto losing = running();
  pause(losing.id);
  advance_renewing(lease_ms + 5 * second);
  ASSERT_EQ(sweep().expired.size(), 1u);
  EXPECT_EQ(get(losing.id).state, job_state::paused);
}

TEST_P(PauseSuite, RefusesToPauseWhatEnds) {
  const auto held = running();
  cancel(held.id);
  EXPECT_EQ(pause(held.id).error, errc::invalid_state);
  EXPECT_EQ(resume(held.id).error, errc::invalid_state);
  release(held, release_reason::drain);

  EXPECT_EQ(pause(held.id).error, errc::invalid_state);
  EXPECT_EQ(resume(held.id).error, errc::invalid_state);
  EXPECT_EQ(pause("nobody").error, errc::not_found);
}

TEST_P(PauseSuite, CancellingAPausingJobForgetsThePause) {
  const auto held = running();
  pause(held.id);

  EXPECT_EQ(cancel(held.id).job.state, job_state::cancelling);

  EXPECT_EQ(renew(held), errc::invalid_state);
  EXPECT_EQ(release(held, release_reason::drain).job.state,
            job_state::cancelled);
}

// -- crashes ------------------------------------------------------------------

TEST_P(PauseSuite, TheSecondCrashFailsAJobAsPoison) {
  auto made = draft();
  made.max_attempts = 1;
  made.backoff.initial_s = 0;
  const auto first = running(made);

  const auto crashed = crash(first);

  EXPECT_EQ(crashed.job.state, job_state::queued);
  EXPECT_EQ(crashed.job.attempt, 1u);
  EXPECT_EQ(crashed.job.errors.at(0).code, "codec_crashed");
  const auto once_more = claim().at(0);
  EXPECT_EQ(once_more.attempt, 1u);
  const auto poisoned = crash(once_more);
  EXPECT_EQ(poisoned.job.state, job_state::failed);
  EXPECT_EQ(poisoned.job.errors.at(1).code, "poison");
  retry(first.id);
  EXPECT_EQ(crash(claim().at(0)).job.state, job_state::queued);
}

// -- children -----------------------------------------------------------------

TEST_P(PauseSuite, ARunningJobMakesItsChildrenOnce) {
  const auto held = running();

  const auto made = apply(spawn_of(held, {"a", "b"}));

  EXPECT_EQ(made.error, errc::none);
  ASSERT_EQ(made.added.size(), 2u);
  EXPECT_EQ(made.added[0].parent, held.id);
  EXPECT_EQ(made.added[0].state, job_state::queued);
  EXPECT_EQ(get(held.id).checkpoint, R"({"at":3})");
  const auto again = apply(spawn_of(held, {"b", "c"}));
  ASSERT_EQ(again.added.size(), 1u);
  EXPECT_EQ(again.added[0].id, child_id(held.id, "c"));
  EXPECT_EQ(depth(job_state::queued, "bulk"), 3u);
}

TEST_P(PauseSuite, AnAttemptThatHasLostItsLeaseMakesNoChildren) {
  auto held = running();
  held.fence.nonce += 1;

  EXPECT_EQ(apply(spawn_of(held, {"a"})).error, errc::stale_fence);

  EXPECT_EQ(depth(job_state::queued, "bulk"), 0u);
  EXPECT_EQ(get(held.id).checkpoint, "");
}

TEST_P(PauseSuite, WithoutRoomForAllChildrenNoneIsMade) {
  options.max_queued = 2;
  const auto held = running();

  EXPECT_EQ(apply(spawn_of(held, {"a", "b", "c"})).error, errc::queue_full);

  EXPECT_EQ(depth(job_state::queued, "bulk"), 0u);
  EXPECT_EQ(get(held.id).checkpoint, "");
}

TEST(ChildIds, TellParentsAndItemsApart) {
  const std::string parent = "01HF7YAT00AAAAAAAAAAAAAAAA";

  const auto id = child_id(parent, "x");

  EXPECT_EQ(id.size(), 26u);
  EXPECT_EQ(id.substr(0, 10), parent.substr(0, 10));
  EXPECT_EQ(id, child_id(parent, "x"));
  EXPECT_NE(id, child_id(parent, "y"));
  EXPECT_NE(child_id("ab", "c"), child_id("a", "bc"));
}

} // namespace
} // namespace troupe::store::testing
