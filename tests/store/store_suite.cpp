#include "tests/store/store_suite.hpp"

#include "tests/store/must.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace troupe::store::testing {

StoreSuite::StoreSuite()
  : offset_{std::make_shared<std::int64_t>(0)}, fixture_{GetParam().make()} {
  options.lease_ms = lease_ms;
  options.clock_offset_ms = [offset = offset_] {
    return *offset;
  };
}

job_store& StoreSuite::store() {
  if (!store_)
    store_ = must(fixture_->open(options));
  return *store_;
}

void StoreSuite::advance(std::int64_t ms) {
  *offset_ += ms;
}

void StoreSuite::advance_renewing(std::int64_t ms,
                                  const std::vector<held_lease>& leases) {
  must(store().renew(leases, lease_ms));
  for (std::int64_t step = 0; ms > 0; ms -= step) {
    step = std::min<std::int64_t>(ms, lease_ms / 4);
    advance(step);
    must(store().renew(leases, lease_ms));
  }
}

void StoreSuite::reopen() {
  store_.reset();
  store();
}

job_draft StoreSuite::draft() {
  return draft("download");
}

job_draft StoreSuite::draft(const std::string& queue, std::int32_t priority) {
  job_draft made;
  made.id = ids_.mint(1'700'000'000'000);
  made.type = queue;
  made.queue = queue;
  made.priority = priority;
  made.params = R"({"url":"https://example.com/"})";
  made.backoff.jitter = 0;
  return made;
}

std::vector<applied> StoreSuite::apply_all(const std::vector<operation>& ops) {
  auto answers = must(store().apply(ops));
  EXPECT_EQ(answers.size(), ops.size());
  return answers;
}

applied StoreSuite::apply(operation op) {
  return apply_all({std::move(op)}).at(0);
}

job StoreSuite::submit(job_draft made) {
  auto answer = apply(submit_op{std::move(made), {}});
  EXPECT_EQ(answer.error, errc::none);
  return answer.job;
}

job StoreSuite::submit() {
  return submit(draft());
}

std::vector<job> StoreSuite::claim(std::uint32_t max,
                                   const std::string& queue) {
  return claim_told(max, queue).jobs;
}

claim_result StoreSuite::claim_told(std::uint32_t max,
                                    const std::string& queue) {
  claim_request request;
  request.queue = queue;
  request.node = node;
  request.nonce = nonce++;
  request.max = max;
  request.lease_ms = lease_ms;
  return must(store().claim(request));
}

job_draft StoreSuite::keyed(const std::string& key) {
  auto made = draft();
  made.concurrency_key = key;
  return made;
}

std::vector<std::string> StoreSuite::submit_keyed(const std::string& key,
                                                  std::size_t count) {
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < count; ++i)
    ids.push_back(submit(keyed(key)).id);
  return ids;
}

void StoreSuite::limit_key(const std::string& key, std::uint32_t concurrency,
                           double rate_per_s) {
  EXPECT_EQ(apply(put_limit_op{key, concurrency, rate_per_s}).error,
            errc::none);
}

void StoreSuite::limit_queue(const std::string& queue,
                             std::uint32_t concurrency, double rate_per_s) {
  put_queue_op op;
  op.queue = queue;
  op.concurrency = concurrency;
  op.rate_per_s = rate_per_s;
  EXPECT_EQ(apply(op).error, errc::none);
}

job StoreSuite::running(job_draft made) {
  const auto queue = made.queue;
  submit(std::move(made));
  return claim(1, queue).at(0);
}

job StoreSuite::running() {
  return running(draft());
}

job StoreSuite::get(const std::string& id) {
  return must(store().get(id));
}

errc StoreSuite::get_error(const std::string& id) {
  const auto answer = store().get(id);
  if (answer)
    return errc::none;
  return static_cast<errc>(answer.error().code.value());
}

sweep_result StoreSuite::sweep() {
  return must(store().sweep({node, nonce++, lease_ms, 256}));
}

follow_result StoreSuite::follow() {
  follow_result all;
  for (bool more = true; more;) {
    auto step = must(store().follow({node, nonce++, lease_ms, 256}));
    more = step.more;
    std::ranges::move(step.changed, std::back_inserter(all.changed));
    std::ranges::move(step.batches, std::back_inserter(all.batches));
  }
  return all;
}

batch_submitted StoreSuite::submit_batch(const std::string& id,
                                         const std::vector<job_draft>& jobs) {
  batch_draft made;
  made.id = id;
  return must(store().submit_batch(made, jobs, {}));
}

std::vector<job> StoreSuite::list(list_query query) {
  return must(store().list(query)).jobs;
}

std::uint64_t StoreSuite::depth(job_state state, const std::string& queue) {
  for (const auto& entry : must(store().depths()))
    if (entry.queue == queue)
      return entry.by_state[static_cast<std::size_t>(state)];
  return 0;
}

applied StoreSuite::succeed(const job& held, std::string result) {
  return apply(succeed_op{held.id, held.fence, std::move(result)});
}

applied StoreSuite::fail(const job& held, bool retryable) {
  return apply(fail_op{held.id, held.fence, "source_unavailable", "503",
                       retryable, 0, ""});
}

applied StoreSuite::release(const job& held, release_reason why) {
  return apply(release_op{held.id, held.fence, why});
}

applied StoreSuite::commit(const job& held) {
  return apply(commit_op{held.id, held.fence, R"({"path":"a"})", some_files()});
}

applied StoreSuite::cancel(const std::string& id) {
  return apply(cancel_op{id});
}

applied StoreSuite::retry(const std::string& id) {
  return apply(retry_op{id});
}

applied StoreSuite::purge(const std::string& id) {
  return apply(purge_op{id});
}

applied StoreSuite::pause(const std::string& id) {
  return apply(pause_op{id});
}

applied StoreSuite::resume(const std::string& id) {
  return apply(resume_op{id});
}

std::vector<media::staged_file> some_files() {
  return {
    {"/lib/.troupe/x/a.mp4", "/lib/a.mp4", 17, std::string(64, 'a'), false}};
}

std::vector<std::string> ids_of(const std::vector<job>& jobs) {
  std::vector<std::string> ids;
  ids.reserve(jobs.size());
  for (const auto& job : jobs)
    ids.push_back(job.id);
  return ids;
}

} // namespace troupe::store::testing
