#include "tests/store/store_suite.hpp"

#include <algorithm>

/// Batches and actions on many jobs.
namespace troupe::store::testing {
namespace {

class BatchSuite : public StoreSuite {
protected:
  std::vector<job_draft> drafts(std::size_t count) {
    std::vector<job_draft> made;
    for (std::size_t i = 0; i < count; ++i)
      made.push_back(draft());
    return made;
  }

  std::uint64_t count(const batch& it, job_state state) {
    return it.by_state[static_cast<std::size_t>(state)];
  }

  batch batch_of(const std::string& id) {
    return store().get_batch(id).value();
  }

  /// Steps until all have been looked at.
  bulk_result bulk(bulk_request request) {
    bulk_result all;
    do {
      auto step = store().bulk(request).value();
      all.matched += step.matched;
      std::ranges::move(step.changed, std::back_inserter(all.changed));
      request.cursor = step.next_cursor;
    } while (!request.cursor.empty());
    return all;
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, BatchSuite, ::testing::ValuesIn(store_kinds()),
                         ::testing::PrintToStringParamName());

TEST_P(BatchSuite, IsThereWithAllItsJobs) {
  const auto jobs = drafts(3);
  batch_draft made{"b1", "anna", {"x", "y"}, ""};

  const auto answer = store().submit_batch(made, jobs, {}).value();

  EXPECT_EQ(answer.ids, (std::vector{jobs[0].id, jobs[1].id, jobs[2].id}));
  EXPECT_EQ(answer.batch.total, 3u);
  EXPECT_EQ(count(answer.batch, job_state::queued), 3u);
  EXPECT_EQ(answer.batch.owner, "anna");
  EXPECT_EQ(answer.batch.tags, (std::vector<std::string>{"x", "y"}));
  EXPECT_NE(answer.batch.created_at, 0);
  EXPECT_EQ(get(jobs[1].id).batch, "b1");
  list_query query;
  query.batch = "b1";
  EXPECT_EQ(list(query).size(), 3u);
  EXPECT_EQ(ids_of(claim(3)), answer.ids);
  EXPECT_EQ(store().get_batch("b2").error().code, errc::not_found);
}

TEST_P(BatchSuite, CountsItsJobsAndEndsOnce) {
  const auto jobs = drafts(3);
  submit_batch("b1", jobs);
  auto held = claim(3);
  EXPECT_EQ(count(batch_of("b1"), job_state::running), 3u);

  EXPECT_TRUE(succeed(held[0]).follow);
  fail(held[1], false);
  const auto progress = follow().batches;
  ASSERT_EQ(progress.size(), 1u);
  EXPECT_EQ(progress[0].finished_at, 0);
  EXPECT_EQ(progress[0].ended(), 2u);
  cancel(held[2].id);
  release(held[2], release_reason::drain);
  const auto end = follow().batches;

  ASSERT_EQ(end.size(), 1u);
  EXPECT_NE(end[0].finished_at, 0);
  const auto now = batch_of("b1");
  EXPECT_EQ(now.finished_at, end[0].finished_at);
  EXPECT_EQ(count(now, job_state::succeeded), 1u);
  EXPECT_EQ(count(now, job_state::failed), 1u);
  EXPECT_EQ(count(now, job_state::cancelled), 1u);
  EXPECT_TRUE(follow().batches.empty());
}

TEST_P(BatchSuite, ThousandsOfJobsAreStagedAndAllThere) {
  auto jobs = drafts(2000);
  // The first waits for the last, and all others for the first.
  for (std::size_t i = 1; i + 1 < jobs.size(); ++i)
    jobs[i].depends_on = {jobs[0].id};
  jobs[0].depends_on = {jobs.back().id};

  const auto answer = submit_batch("b1", jobs);

  EXPECT_EQ(answer.ids.size(), jobs.size());
  EXPECT_EQ(answer.ids.front(), jobs.front().id);
  EXPECT_EQ(answer.batch.total, 2000u);
  EXPECT_EQ(count(answer.batch, job_state::blocked), 1999u);
  EXPECT_EQ(count(answer.batch, job_state::queued), 1u);
  succeed(claim().at(0));
  follow();
  succeed(claim().at(0));
  EXPECT_EQ(follow().changed.size(), 1998u);
  EXPECT_EQ(depth(job_state::queued), 1998u);
}

TEST_P(BatchSuite, AllOrNone) {
  auto circle = drafts(2);
  circle[0].depends_on = {circle[1].id};
  circle[1].depends_on = {circle[0].id};
  auto orphan = drafts(600);
  orphan[599].depends_on = {"nobody"};
  options.max_queued = 500;

  EXPECT_EQ(store().submit_batch({"b1", "", {}, ""}, circle, {}).error().code,
            errc::no_parent);
  EXPECT_EQ(
    store().submit_batch({"b3", "", {}, ""}, drafts(501), {}).error().code,
    errc::queue_full);
  EXPECT_EQ(store()
              .submit_batch({"b2", "", {}, ""}, std::span{orphan}.last(400), {})
              .error()
              .code,
            errc::no_parent);

  EXPECT_TRUE(list().empty());
  EXPECT_EQ(store().get_batch("b1").error().code, errc::not_found);
  EXPECT_EQ(store().get_batch("b2").error().code, errc::not_found);
  EXPECT_EQ(store().get_batch("b3").error().code, errc::not_found);
}

TEST_P(BatchSuite, IsMadeOnceForOneIdempotencyKey) {
  const auto jobs = drafts(300);
  const idempotency key{"anna POST /v1/jobs/batch k", "h1"};
  store().submit_batch({"b1", "", {}, ""}, jobs, key).value();

  const auto again =
    store().submit_batch({"b2", "", {}, ""}, drafts(300), key).value();

  EXPECT_TRUE(again.replayed);
  EXPECT_EQ(again.batch.id, "b1");
  EXPECT_EQ(again.ids.size(), 300u);
  EXPECT_EQ(again.ids[7], jobs[7].id);
  EXPECT_EQ(depth(job_state::queued), 300u);
  EXPECT_EQ(store()
              .submit_batch({"b3", "", {}, ""}, jobs, {key.scope, "h2"})
              .error()
              .code,
            errc::idempotency_mismatch);
  EXPECT_TRUE(
    store().submit_batch({"b1", "", {}, ""}, jobs, {}).value().replayed);
}

TEST_P(BatchSuite, AJobWhoseUniqueKeyIsTakenEndsAsDuplicate) {
  auto before = draft();
  before.unique_key = "k";
  submit(before);
  auto jobs = drafts(2);
  jobs[1].unique_key = "k";

  const auto answer = submit_batch("b1", jobs);

  EXPECT_EQ(count(answer.batch, job_state::cancelled), 1u);
  const auto twin = get(jobs[1].id);
  EXPECT_EQ(twin.state, job_state::cancelled);
  EXPECT_EQ(twin.errors.at(0).code, "duplicate");
  claim(1);
  succeed(claim().at(0));
  EXPECT_NE(follow().batches.at(0).finished_at, 0);
}

TEST_P(BatchSuite, EndsWhenASweepEndsItsLastJob) {
  auto jobs = drafts(2);
  jobs[1].depends_on = {jobs[0].id};
  submit_batch("b1", jobs);
  const auto held = claim().at(0);
  cancel(held.id);
  advance_renewing(lease_ms + 5 * second);

  sweep();
  follow();

  EXPECT_EQ(batch_of("b1").ended(), 2u);
  EXPECT_NE(batch_of("b1").finished_at, 0);
}

TEST_P(BatchSuite, OfTwoWithOneUniqueKeyTheSecondEndsAsADuplicate) {
  for (const std::size_t size : {3, 300}) {
    const auto name = "b" + std::to_string(size);
    auto jobs = drafts(size);
    auto& last = jobs.back();
    jobs.front().unique_key = last.unique_key = "key of " + name;
    auto& child = jobs[1];
    child.depends_on = {last.id};

    submit_batch(name, jobs);
    follow();

    EXPECT_NE(get(jobs.front().id).state, job_state::cancelled);
    const auto second_one = get(last.id);
    EXPECT_EQ(second_one.state, job_state::cancelled);
    EXPECT_EQ(second_one.batch, name);
    ASSERT_EQ(second_one.errors.size(), 1u);
    EXPECT_EQ(second_one.errors[0].code, "duplicate");
    EXPECT_NE(second_one.errors[0].message.find(jobs.front().id),
              std::string::npos);
    EXPECT_EQ(get(child.id).state, job_state::failed);
    EXPECT_EQ(batch_of(name).total, size);
    EXPECT_EQ(batch_of(name).ended(), 2u);
    for (const auto& held : claim(size))
      succeed(held);
    follow();
    EXPECT_NE(batch_of(name).finished_at, 0);
  }
}

TEST_P(BatchSuite, AnEmptyOneEndsAtOnce) {
  submit_batch("b1", {});

  EXPECT_NE(follow().batches.at(0).finished_at, 0);
}

TEST_P(BatchSuite, ItsJobsAreKeptUntilItEndsAndItGoesAfterThem) {
  options.retention_ms = 100 * second;
  const auto jobs = drafts(2);
  submit_batch("b1", jobs);
  succeed(claim().at(0));
  advance(200 * second);
  sweep();
  EXPECT_EQ(get_error(jobs[0].id), errc::none);

  succeed(claim().at(0));
  follow();
  sweep();
  EXPECT_EQ(get_error(jobs[0].id), errc::not_found);
  EXPECT_EQ(batch_of("b1").ended(), 2u);
  advance(101 * second);
  sweep();

  EXPECT_EQ(get_error(jobs[1].id), errc::not_found);
  EXPECT_EQ(store().get_batch("b1").error().code, errc::not_found);
}

TEST_P(BatchSuite, StaysWhileAJobOfItRunsAgain) {
  options.retention_ms = 100 * second;
  const auto jobs = drafts(1);
  submit_batch("b1", jobs);
  cancel(jobs[0].id);
  follow();
  retry(jobs[0].id);
  advance(200 * second);
  follow();
  sweep();
  EXPECT_TRUE(store().get_batch("b1"));

  succeed(claim().at(0));
  advance(200 * second);
  follow();
  sweep();
  EXPECT_EQ(store().get_batch("b1").error().code, errc::not_found);
}

// -- many jobs ----------------------------------------------------------------

TEST_P(BatchSuite, CancelsAWholeBatchStepByStep) {
  submit_batch("b1", drafts(500));
  submit();
  const auto held = claim(2);
  bulk_request request;
  request.filter.batch = "b1";
  request.max = 100;

  const auto done = bulk(request);

  EXPECT_EQ(done.matched, 500u);
  EXPECT_EQ(done.changed.size(), 500u);
  EXPECT_EQ(depth(job_state::cancelled), 498u);
  EXPECT_EQ(depth(job_state::cancelling), 2u);
  EXPECT_EQ(depth(job_state::queued), 1u);
}

TEST_P(BatchSuite, ADryRunOnlyCounts) {
  for (int i = 0; i < 5; ++i)
    submit();
  fail(claim().at(0), false);
  bulk_request request;
  request.action = bulk_action::retry;
  request.dry_run = true;

  EXPECT_EQ(bulk(request).matched, 1u);
  EXPECT_EQ(depth(job_state::failed), 1u);

  request.dry_run = false;
  EXPECT_EQ(bulk(request).changed.size(), 1u);
  EXPECT_EQ(depth(job_state::queued), 5u);
}

TEST_P(BatchSuite, PurgesWhatHasEndedAndTellsWhatItWas) {
  const auto it = submit();
  submit();
  cancel(it.id);
  bulk_request request;
  request.action = bulk_action::purge;

  const auto done = bulk(request);

  ASSERT_EQ(ids_of(done.changed), std::vector{it.id});
  EXPECT_EQ(get_error(it.id), errc::not_found);
}

} // namespace
} // namespace troupe::store::testing
