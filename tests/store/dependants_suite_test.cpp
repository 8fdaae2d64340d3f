#include "tests/store/store_suite.hpp"

#include <algorithm>

/// Jobs that wait for others, and what is handed on to them.
namespace troupe::store::testing {
namespace {

class DependantsSuite : public StoreSuite {
protected:
  job_draft child_of(const std::vector<std::string>& parents) {
    auto made = draft();
    made.depends_on = parents;
    return made;
  }

  job_state state_of(const std::string& id) {
    return get(id).state;
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, DependantsSuite,
                         ::testing::ValuesIn(store_kinds()),
                         ::testing::PrintToStringParamName());

TEST_P(DependantsSuite, AJobIsBlockedUntilAllItsParentsHaveSucceeded) {
  const auto one = running();
  const auto other = running();
  const auto child = submit(child_of({one.id, other.id, one.id}));
  EXPECT_EQ(child.state, job_state::blocked);
  EXPECT_EQ(child.pending, 2u);
  EXPECT_EQ(depth(job_state::blocked), 1u);

  EXPECT_TRUE(succeed(one).follow);
  EXPECT_TRUE(follow().changed.empty());
  EXPECT_TRUE(claim().empty());
  EXPECT_TRUE(succeed(other).follow);
  const auto released = follow().changed;

  ASSERT_EQ(ids_of(released), std::vector{child.id});
  EXPECT_EQ(released[0].state, job_state::queued);
  EXPECT_EQ(released[0].revision, 2u);
  EXPECT_EQ(ids_of(claim()), std::vector{child.id});
  EXPECT_TRUE(follow().changed.empty());
}

TEST_P(DependantsSuite, ASweepLetsThemGoToo) {
  const auto parent = running();
  const auto child = submit(child_of({parent.id}));
  succeed(parent);

  const auto done = sweep();

  EXPECT_EQ(ids_of(done.changed), std::vector{child.id});
  EXPECT_EQ(state_of(child.id), job_state::queued);
}

TEST_P(DependantsSuite, AParentThatHasEndedBeforeIsSeen) {
  const auto parent = running();
  succeed(parent);

  const auto answer = apply(submit_op{child_of({parent.id}), {}});

  EXPECT_EQ(answer.job.state, job_state::blocked);
  EXPECT_TRUE(answer.follow);
  follow();
  EXPECT_EQ(state_of(answer.job.id), job_state::queued);
}

TEST_P(DependantsSuite, AParentThatIsNotThereIsRefused) {
  auto self = child_of({});
  self.depends_on = {self.id};

  EXPECT_EQ(apply(submit_op{child_of({"nobody"}), {}}).error, errc::no_parent);
  EXPECT_EQ(apply(submit_op{self, {}}).error, errc::no_parent);

  EXPECT_TRUE(list().empty());
}

TEST_P(DependantsSuite, TheFailureOfAParentIsHandledAsTheChildWants) {
  const auto parent = running();
  auto cancels = child_of({parent.id});
  cancels.on_parent_failure = parent_policy::cancel;
  auto runs = child_of({parent.id});
  runs.on_parent_failure = parent_policy::run;
  const auto failing = submit(child_of({parent.id}));
  submit(cancels);
  submit(runs);

  fail(parent, false);
  EXPECT_EQ(follow().changed.size(), 3u);

  const auto failed = get(failing.id);
  EXPECT_EQ(failed.state, job_state::failed);
  EXPECT_EQ(failed.errors.at(0).code, "parent_failed");
  EXPECT_NE(failed.errors.at(0).message.find(parent.id), std::string::npos);
  EXPECT_NE(failed.finished_at, 0);
  EXPECT_EQ(state_of(cancels.id), job_state::cancelled);
  EXPECT_EQ(state_of(runs.id), job_state::queued);
}

TEST_P(DependantsSuite, AFailureGoesDownTheWholeChain) {
  const auto top = running();
  const auto middle = submit(child_of({top.id}));
  const auto lower = submit(child_of({middle.id}));
  const auto lowest = submit(child_of({lower.id, top.id}));

  cancel(top.id);
  release(top, release_reason::drain);
  follow();

  EXPECT_EQ(state_of(middle.id), job_state::failed);
  EXPECT_EQ(state_of(lower.id), job_state::failed);
  EXPECT_EQ(state_of(lowest.id), job_state::failed);
  EXPECT_EQ(get(lowest.id).errors.size(), 1u);
}

TEST_P(DependantsSuite, ManyChildrenOfOneJobAreLetGoInSteps) {
  const auto parent = running();
  std::vector<operation> ops;
  for (int i = 0; i < 700; ++i)
    ops.push_back(submit_op{child_of({parent.id}), {}});
  apply_all(ops);
  EXPECT_EQ(depth(job_state::blocked), 700u);

  succeed(parent);
  const auto released = follow().changed;

  EXPECT_EQ(released.size(), 700u);
  EXPECT_EQ(depth(job_state::blocked), 0u);
  EXPECT_EQ(depth(job_state::queued), 700u);
}

TEST_P(DependantsSuite, OneJobWaitsForHundreds) {
  std::vector<std::string> parents;
  for (int i = 0; i < 600; ++i)
    parents.push_back(submit().id);
  const auto last = submit(child_of(parents));
  for (const auto& held : claim(600))
    succeed(held);

  follow();

  EXPECT_EQ(state_of(last.id), job_state::queued);
  cancel(last.id);
  follow();
  EXPECT_EQ(purge(parents[0]).error, errc::none);
  EXPECT_EQ(purge(parents[599]).error, errc::none);
}

TEST_P(DependantsSuite, APausedChildStaysPausedWhenItsParentsEnd) {
  const auto parent = running();
  const auto child = submit(child_of({parent.id}));
  pause(child.id);
  EXPECT_EQ(resume(child.id).job.state, job_state::blocked);
  pause(child.id);

  succeed(parent);
  follow();

  EXPECT_EQ(state_of(child.id), job_state::paused);
  EXPECT_EQ(resume(child.id).job.state, job_state::queued);
}

TEST_P(DependantsSuite, AChildThatIsDueLaterIsScheduledThen) {
  const auto parent = running();
  auto later = child_of({parent.id});
  later.delay_ms = 100 * second;
  submit(later);

  succeed(parent);
  follow();

  EXPECT_EQ(state_of(later.id), job_state::scheduled);
  advance(101 * second);
  EXPECT_EQ(sweep().queued.size(), 1u);
}

TEST_P(DependantsSuite, ARetriedParentIsWaitedForAgain) {
  const auto parent = running();
  fail(parent, false);
  const auto child = apply(submit_op{child_of({parent.id}), {}}).job;
  retry(parent.id);

  EXPECT_TRUE(follow().changed.empty());
  EXPECT_EQ(state_of(child.id), job_state::blocked);
  succeed(claim().at(0));
  follow();

  EXPECT_EQ(state_of(child.id), job_state::queued);
}

TEST_P(DependantsSuite, AChildIsRetriedWhenItsParentHasSucceededAfterAll) {
  const auto parent = running();
  const auto child = submit(child_of({parent.id}));
  fail(parent, false);
  follow();
  EXPECT_EQ(retry(child.id).error, errc::parent_failed);

  retry(parent.id);
  EXPECT_EQ(retry(child.id).job.state, job_state::blocked);
  succeed(claim().at(0));
  follow();

  EXPECT_EQ(state_of(child.id), job_state::queued);
}

TEST_P(DependantsSuite, WhatAnOpenJobDependsOnIsNotForgotten) {
  options.retention_ms = 100 * second;
  const auto parent = running();
  const auto child = submit(child_of({parent.id}));
  succeed(parent);
  follow();
  EXPECT_EQ(purge(parent.id).error, errc::invalid_state);
  advance(200 * second);
  sweep();
  EXPECT_EQ(get_error(parent.id), errc::none);

  succeed(claim().at(0));
  sweep();
  EXPECT_EQ(get_error(parent.id), errc::not_found);
  EXPECT_EQ(get_error(child.id), errc::none);
}

TEST_P(DependantsSuite, WhatIsKeptDoesNotHoldUpRetention) {
  options.retention_ms = 100 * second;
  std::vector<operation> ops;
  std::vector<std::string> kept;
  for (int i = 0; i < 300; ++i)
    kept.push_back(submit().id);
  for (const auto& held : claim(300))
    ops.push_back(succeed_op{held.id, held.fence, "{}"});
  apply_all(ops);
  submit(child_of(kept));
  const auto gone = running();
  succeed(gone);
  follow();
  advance(200 * second);

  for (int i = 0; i < 40 && get_error(gone.id) == errc::none; ++i)
    sweep();

  EXPECT_EQ(get_error(gone.id), errc::not_found);
  EXPECT_EQ(get_error(kept.front()), errc::none);
}

TEST_P(DependantsSuite, WhatIsKeptDoesNotHideWhatIsTooMany) {
  options.retention_count = 2;
  std::vector<std::string> kept;
  for (int i = 0; i < 3; ++i) {
    const auto held = running();
    kept.push_back(held.id);
    succeed(held);
    advance(second);
  }
  auto child = child_of(kept);
  child.delay_ms = 3600 * second;
  submit(child);
  const auto one = running(), other = running();
  succeed(one);
  succeed(other);
  follow();

  for (int i = 0; i < 4; ++i)
    sweep();

  EXPECT_EQ(get_error(one.id), errc::not_found);
  EXPECT_EQ(get_error(other.id), errc::not_found);
  EXPECT_EQ(get_error(kept.front()), errc::none);
}

TEST_P(DependantsSuite, RetentionGoesOnAtOnceAfterAStepWithKeptJobs) {
  options.retention_ms = 100 * second;
  const auto kept = running();
  succeed(kept);
  auto child = child_of({kept.id});
  child.delay_ms = 3600 * second;
  submit(child);
  for (int i = 0; i < 6; ++i) {
    advance(second);
    succeed(running());
  }
  follow();
  advance(200 * second);

  EXPECT_TRUE(store().sweep({node, 1, lease_ms, 4}).value().more);
  sweep();

  EXPECT_EQ(depth(job_state::succeeded), 1u);
}

// -- what is handed on --------------------------------------------------------

TEST_P(DependantsSuite, PutsResultsOfParentsIntoParams) {
  const auto parent = running();
  auto made = child_of({parent.id});
  const auto name = "{{job:" + parent.id;
  made.params = R"({"source":")" + name + R"(.source}}", "n": ")" + name
                + R"(.result.size}}","deep":[")" + name
                + R"(.result.video.codec}}"],"text":"a \")" + name
                + R"(.result.title}}\" of )" + name + R"(.result.video}}"})";
  submit(made);

  succeed(parent, R"({"size":12,"title":"x\"y","video":{"codec":"h264"}})");
  follow();

  const auto child = get(made.id);
  EXPECT_EQ(child.state, job_state::queued);
  EXPECT_EQ(child.params,
            R"({"source":"job:)" + parent.id
              + R"(", "n": 12,"deep":["h264"],"text":"a \"x\"y\" of )"
              + R"({\"codec\":\"h264\"}"})");
}

TEST_P(DependantsSuite, FailsWhenAResultLacksWhatIsToBeHandedOn) {
  const auto parent = running();
  auto made = child_of({parent.id});
  made.params = R"({"url":"{{job:)" + parent.id + R"(.result.nothing}}"})";
  submit(made);

  succeed(parent, R"({"size":12})");
  follow();

  const auto child = get(made.id);
  EXPECT_EQ(child.state, job_state::failed);
  EXPECT_EQ(child.errors.at(0).code, "parent_failed");
  EXPECT_EQ(child.params, made.params);
}

TEST_P(DependantsSuite, OnlyAParentsResultIsHandedOn) {
  const auto secret = running();
  succeed(secret, R"({"title":"private"})");
  const auto parent = running();
  auto made = child_of({parent.id});
  made.params = R"({"a":"{{job:)" + secret.id
                + R"(.result.title}}","b":"{{job:)" + parent.id
                + R"(.result.title}}"})";
  submit(made);

  succeed(parent, R"({"title":"public"})");
  follow();

  EXPECT_EQ(get(made.id).params, R"({"a":"{{job:)" + secret.id
                                   + R"(.result.title}}","b":"public"})");
}

TEST_P(DependantsSuite, WhatWasHandedOnIsNotFilledAgain) {
  const auto parent = running();
  auto made = child_of({parent.id});
  const auto hole = "{{job:" + parent.id + ".result.key}}";
  made.params = R"({"a":"{{job:)" + parent.id
                + R"(.result.title}}","b":"of {{job:)" + parent.id
                + R"(.result.title}}"})";
  submit(made);
  succeed(parent, R"({"key":"private","title":")" + hole + R"("})");
  follow();

  fail(claim().at(0), false);
  retry(made.id);

  const auto params = claim().at(0).params;
  EXPECT_EQ(params.find("private"), params.npos);
  EXPECT_EQ(params, R"({"a":"{\u007bjob:)" + parent.id
                      + R"(.result.key}}","b":"of {\u007bjob:)" + parent.id
                      + R"(.result.key}}"})");
}

TEST_P(DependantsSuite, WhatWasHandedOnOutlivesARetry) {
  const auto parent = running();
  auto made = child_of({parent.id});
  made.params = R"({"n":"{{job:)" + parent.id + R"(.result.size}}"})";
  submit(made);
  succeed(parent, R"({"size":12})");
  follow();

  const auto held = claim().at(0);
  fail(held, false);
  retry(held.id);
  if (persists())
    reopen();

  EXPECT_EQ(claim().at(0).params, R"({"n":12})");
}

} // namespace
} // namespace troupe::store::testing
