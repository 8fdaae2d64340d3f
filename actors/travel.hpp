#pragma once

#include "actors/store/job.hpp"
#include "media/attempt.hpp"

#include <caf/meta/type_name.hpp>

/// How the domain's types travel between processes: field by field, in this
/// order. Append only.

namespace troupe::media {

template <class Inspector>
auto inspect(Inspector& f, progress& x) {
  return f(caf::meta::type_name("progress"), x.fraction, x.stage, x.done,
           x.total, x.unit, x.rate, x.eta_s, x.message);
}

template <class Inspector>
auto inspect(Inspector& f, staged_file& x) {
  return f(caf::meta::type_name("staged_file"), x.staged, x.final_path, x.size,
           x.sha256, x.replace, x.library);
}

template <class Inspector>
auto inspect(Inspector& f, attempt_usage& x) {
  return f(caf::meta::type_name("attempt_usage"), x.peak_memory, x.cpu_ms,
           x.wall_ms, x.disk, x.network);
}

template <class Inspector>
auto inspect(Inspector& f, finished& x) {
  return f(caf::meta::type_name("finished"), x.result, x.files, x.used);
}

template <class Inspector>
auto inspect(Inspector& f, failure_report& x) {
  return f(caf::meta::type_name("failure_report"), x.code, x.message,
           x.retry_after_s, x.untried, x.used);
}

} // namespace troupe::media

namespace troupe::store {

template <class Inspector>
auto inspect(Inspector& f, fence& x) {
  return f(caf::meta::type_name("fence"), x.epoch, x.nonce);
}

template <class Inspector>
auto inspect(Inspector& f, backoff& x) {
  return f(caf::meta::type_name("backoff"), x.initial_s, x.factor, x.max_s,
           x.jitter);
}

template <class Inspector>
auto inspect(Inspector& f, job_error& x) {
  return f(caf::meta::type_name("job_error"), x.code, x.message, x.retryable,
           x.attempt);
}

template <class Inspector>
auto inspect(Inspector& f, job& x) {
  return f(caf::meta::type_name("job"), x.id, x.type, x.queue, x.priority,
           x.params, x.tags, x.owner, x.batch, x.parent, x.run_at, x.delay_ms,
           x.timeout_s, x.max_attempts, x.backoff, x.unique_key,
           x.concurrency_key, x.callback_url, x.state, x.attempt, x.revision,
           x.progress, x.result, x.checkpoint, x.errors, x.node, x.created_at,
           x.started_at, x.finished_at, x.reached, x.fence, x.lease_until,
           x.losses, x.publishing, x.manifest, x.request_id, x.traceparent,
           x.depends_on, x.on_parent_failure, x.pending, x.crashes, x.pausing,
           x.followed, x.deadline_ms);
}

template <class Inspector>
auto inspect(Inspector& f, job_draft& x) {
  return f(caf::meta::type_name("job_draft"), x.id, x.type, x.queue, x.priority,
           x.params, x.tags, x.owner, x.batch, x.parent, x.run_at, x.delay_ms,
           x.timeout_s, x.max_attempts, x.backoff, x.unique_key,
           x.concurrency_key, x.callback_url, x.request_id, x.traceparent,
           x.depends_on, x.on_parent_failure, x.deadline_ms);
}

} // namespace troupe::store
