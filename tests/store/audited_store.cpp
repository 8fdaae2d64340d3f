#include "tests/store/audited_store.hpp"

#include <algorithm>
#include <stdexcept>

namespace troupe::store::testing {

std::ostream& operator<<(std::ostream& out, const breakage& it) {
  return out << it.name;
}

audited_store::audited_store(store_options options) {
  options.clock_offset_ms = [this] {
    return offset_;
  };
  options_ = options;
  reopen();
  fill();
}

void audited_store::reopen() {
  auto opened = open_store(options_);
  if (!opened)
    throw std::runtime_error(opened.error().message());
  store = std::move(*opened);
}

std::vector<audit_finding> audited_store::audit(bool repair) {
  std::vector<audit_finding> all;
  audit_request request{.repair = repair, .cursor = "", .max = 2};
  do {
    auto step = store->audit(request);
    if (!step)
      throw std::runtime_error(step.error().message());
    std::ranges::move(step->findings, std::back_inserter(all));
    request.cursor = step->next_cursor;
  } while (!request.cursor.empty());
  return all;
}

std::size_t audited_store::drain() {
  std::size_t ended = 0;
  store->apply(std::vector<operation>{put_limit_op{"busy", 0, 0}});
  for (;;) {
    auto some = claim(100);
    if (some.empty())
      return ended;
    ended += some.size();
    for (const auto& it : some)
      apply(succeed_op{it.id, it.fence, "{}"});
  }
}

void audited_store::follow() {
  for (bool more = true; more;) {
    auto step = store->follow({"node", 1, 15'000, 256});
    if (!step)
      throw std::runtime_error(step.error().message());
    more = step->more;
  }
}

bool audited_store::fires_its_schedule() {
  offset_ += 2 * 3'600'000;
  follow();
  list_query query;
  query.type = "nightly";
  return !store->list(query)->jobs.empty();
}

job audited_store::apply(operation op) {
  auto done = store->apply(std::vector{std::move(op)});
  if (!done || done->at(0).error != errc::none)
    throw std::runtime_error("not applied");
  return done->at(0).job;
}

job audited_store::submit(const std::string& id, const std::string& key,
                          std::int64_t delay_ms) {
  job_draft made;
  made.id = id;
  made.type = made.queue = "download";
  made.concurrency_key = key;
  made.delay_ms = delay_ms;
  made.batch = "batch";
  made.unique_key = "key of " + id;
  return apply(submit_op{made, {}});
}

std::vector<job> audited_store::claim(std::uint32_t max) {
  auto found = store->claim({"download", "node", 7, max, 60'000});
  if (!found)
    throw std::runtime_error(found.error().message());
  return std::move(found->jobs);
}

void audited_store::fill() {
  if (!store->submit_batch({"batch", "", {}, ""}, {}, {}))
    throw std::runtime_error("no batch");
  submit("done");
  const auto done = claim(1).at(0);
  apply(succeed_op{done.id, done.fence, "{}"});
  apply(put_limit_op{"busy", 1, 0});
  submit("busy1", "busy");
  submit("busy2", "busy");
  submit("busy3", "busy");
  submit("committed", "calm");
  for (const auto& it : claim(2))
    if (it.id == "committed")
      apply(commit_op{it.id, it.fence, "{}", some_files()});
  if (!claim(1).empty())
    throw std::runtime_error("the group is not limited");
  submit("waits");
  submit("calm1", "calm");
  submit("calm2", "calm");
  submit("later", "", 3'600'000);
  job_draft child;
  child.id = "child";
  child.type = child.queue = "download";
  child.depends_on = {"later"};
  apply(submit_op{child, {}});
  fill_beside();
}

void audited_store::fill_beside() {
  job_draft told;
  told.id = "told";
  told.type = told.queue = "download";
  told.callback_url = "http://localhost/";
  apply(submit_op{told, {"scope", "hash"}});
  apply(cancel_op{"told"});
  put_schedule_op nightly;
  nightly.schedule.name = "nightly";
  nightly.schedule.cron = "@hourly";
  nightly.schedule.catch_up = catch_up_policy::one;
  nightly.schedule.job.type = nightly.schedule.job.queue = "nightly";
  apply(nightly);
  std::vector<job_draft> jobs(2, told);
  jobs[0].id = "b1a";
  jobs[1].id = "b1b";
  jobs[0].callback_url = jobs[1].callback_url = "";
  if (!store->submit_batch({"b1", "", {}, ""}, jobs, {}))
    throw std::runtime_error("no batch");
}

std::set<std::string> kinds_of(const std::vector<audit_finding>& all) {
  std::set<std::string> kinds;
  for (const auto& it : all)
    kinds.insert(it.invariant);
  return kinds;
}

void expect_mended(audited_store& it, const breakage& broken) {
  const auto found = it.audit();
  EXPECT_TRUE(kinds_of(found).contains(broken.found))
    << ::testing::PrintToString(kinds_of(found));
  for (const auto& one : found)
    EXPECT_FALSE(one.repaired);

  // What is mended late may show what was looked at early in another light.
  for (int pass = 0; pass < 3; ++pass)
    for (const auto& one : it.audit(true))
      EXPECT_TRUE(one.repaired) << one.invariant << ": " << one.detail;
  EXPECT_EQ(kinds_of(it.audit()), std::set<std::string>{});
  // What it waits for has not ended, or is gone.
  EXPECT_NE(it.store->get("child")->state, job_state::queued);
  EXPECT_EQ(it.store->take_callbacks(10)->size(), 1u);
  for (const auto* id : {"busy1", "waits", "calm1", "later", "child", "b1a"}) {
    const auto job = it.store->get(id);
    EXPECT_TRUE(job || job.error().code == make_error_code(errc::not_found))
      << id;
  }
}

void expect_to_end(audited_store& it) {
  EXPECT_GE(it.drain(), 4u);
  it.follow();
  EXPECT_NE(it.store->get_batch("b1")->finished_at, 0);
  EXPECT_TRUE(it.fires_its_schedule());
}

void expect_others_served(audited_store& it,
                          const std::vector<std::string>& wrong) {
  for (const auto& id : wrong) {
    EXPECT_EQ(it.store->get(id).error().code, make_error_code(errc::corrupt));
    const std::vector<operation> ops{cancel_op{id}, pause_op{id},
                                     resume_op{id}, retry_op{id},
                                     purge_op{id},  log_op{id, "x"}};
    const auto answers = it.store->apply(ops);
    ASSERT_TRUE(answers) << answers.error().message();
    for (const auto& answer : *answers)
      EXPECT_EQ(answer.error, errc::corrupt);
  }
  EXPECT_TRUE(it.store->list({}));

  EXPECT_GE(it.drain(), 4u);

  it.follow();
  EXPECT_EQ(it.store->get("calm2")->state, job_state::succeeded);
  for (const auto& id : wrong)
    expect_corrupt(it, id);
}

void expect_leases_mended(audited_store& it) {
  const auto busy = it.store->get("busy1").value();
  const std::vector<held_lease> lease{{busy.id, busy.fence}};
  ASSERT_TRUE(it.store->renew(lease, 9'000'000'000'000));
  const auto free = it.store->claim({"download", "", 7, 1, 60'000});
  ASSERT_TRUE(free);
  ASSERT_EQ(free->jobs.size(), 1u);

  const auto found = it.audit();
  EXPECT_EQ(std::ranges::count(found, "lease", &audit_finding::invariant), 2);
  for (const auto& one : it.audit(true))
    EXPECT_TRUE(one.repaired) << one.detail;

  EXPECT_EQ(kinds_of(it.audit()), std::set<std::string>{});
  EXPECT_LT(it.store->get(busy.id)->lease_until, busy.lease_until + 60'000);
  EXPECT_LT(it.store->get(free->jobs[0].id)->lease_until, busy.lease_until);
}

void expect_lost_job_told(audited_store& it) {
  auto found = it.audit();
  EXPECT_TRUE(kinds_of(found).contains("orphan"));
  for (int pass = 0; pass < 3; ++pass)
    it.audit(true);
  EXPECT_EQ(kinds_of(it.audit()), std::set<std::string>{});

  expect_corrupt(it, "waits");
}

void expect_schedule_removed(audited_store& it) {
  EXPECT_TRUE(kinds_of(it.audit()).contains("record"));
  for (const auto& one : it.audit(true))
    EXPECT_TRUE(one.repaired) << one.invariant << ": " << one.detail;

  EXPECT_EQ(kinds_of(it.audit()), std::set<std::string>{});
  EXPECT_EQ(it.store->get_schedule("nightly").error().code,
            make_error_code(errc::not_found));
}

void expect_unknown_stays(audited_store& it) {
  for (const bool repair : {true, false}) {
    const auto found = it.audit(repair);
    ASSERT_EQ(kinds_of(found), std::set<std::string>{"record"});
    for (const auto& one : found)
      EXPECT_FALSE(one.repaired) << one.detail;
  }
}

void expect_corrupt(audited_store& it, const std::string& id) {
  const auto found = it.store->get(id);
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(found->state, job_state::failed);
  ASSERT_FALSE(found->errors.empty());
  EXPECT_EQ(found->errors.back().code, "corrupt");
  EXPECT_NE(found->finished_at, 0);
}

} // namespace troupe::store::testing
