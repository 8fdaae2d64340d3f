#include "actors/store/redis_group.hpp"
#include "actors/store/redis_reply.hpp"
#include "config/fault_points.hpp"

/// What a group's changes are in the indexes.
namespace troupe::store {

void redis_group::count(const job& it, job_state state, int by) {
  changes.count(redis_key::depth, state_prefix(state) + it.queue, by);
  if (!it.batch.empty())
    changes.count(redis_key::tallies, state_prefix(state) + it.batch, by);
}

/// Takes a job from where it is stored.
void redis_group::leave(const entry& it, const std::string& lane) {
  const auto& id = it.record.job.id;
  const auto& was = it.was;
  changes.remove(redis_key::states,
                 state_prefix(was.state) + ordered(was.sequence) + id);
  count(it.record.job, was.state, -1);
  if (was.state == job_state::queued) {
    changes.touch(lane);
    changes.remove(redis_key::ready,
                   lane + rank_of(was.score, was.sequence) + id);
  } else if (was.state == job_state::scheduled) {
    changes.remove(redis_key::schedule, id);
  } else if (is_terminal(was.state)) {
    changes.remove(redis_key::finished,
                   finished_prefix(was.state)
                     + ordered(static_cast<std::uint64_t>(was.finished_at))
                     + id);
  }
}

/// Puts it where it belongs now.
void redis_group::enter(const entry& it, const std::string& lane) {
  const auto& [job, sequence, writes, score] = it.record;
  changes.add(redis_key::states,
              state_prefix(job.state) + ordered(sequence) + job.id);
  count(job, job.state, 1);
  if (job.state == job_state::queued) {
    changes.touch(lane);
    changes.add(redis_key::ready, lane + rank_of(score, sequence) + job.id);
  } else if (job.state == job_state::scheduled) {
    changes.add(redis_key::schedule, job.id, job.run_at);
  } else if (is_terminal(job.state)) {
    changes.add(redis_key::finished,
                finished_prefix(job.state)
                  + ordered(static_cast<std::uint64_t>(job.finished_at))
                  + job.id);
  }
}

/// One more or less that runs, of its queue and of its key.
void redis_group::count_lease(const entry& it) {
  const auto& job = it.record.job;
  const int by =
    int(is_leased(job.state)) - int(it.was.present && is_leased(it.was.state));
  if (by == 0)
    return;
  changes.run(flow_name_of_queue(job.queue), by);
  if (!job.concurrency_key.empty())
    changes.run(flow_name_of_key(job.concurrency_key), by);
}

void redis_group::move(const entry& it) {
  const auto& job = it.record.job;
  const auto& was = it.was;
  if (!was.present && !job.batch.empty())
    changes.add(redis_key::batches,
                batch_prefix(job.batch) + ordered(it.record.sequence) + job.id);
  if (job.lease_until == 0 && was.lease_until != 0)
    changes.remove(redis_key::leases, job.id);
  else if (job.lease_until != was.lease_until)
    changes.add(redis_key::leases, job.id, job.lease_until);
  count_lease(it);
  if (was.present && was.state == job.state && was.score == it.record.score
      && was.run_at == job.run_at && was.finished_at == job.finished_at)
    return;
  const auto lane = lane_of(job);
  if (was.present)
    leave(it, lane);
  enter(it, lane);
}

void redis_group::write_entry(const std::string& id, entry& it) {
  changes.expect(redis_key::jobs, id, it.token);
  if (it.error != errc::none) {
    if (!it.token.empty())
      changes.remove(redis_key::jobs, id);
    return;
  }
  auto& record = it.record;
  // A new place for a new ready time only.
  if (!it.was.present || it.was.run_at != record.job.run_at)
    record.score = score_of(record.job, options_.ageing_ms);
  ++record.writes;
  move(it);
  changes.set(redis_key::jobs, id, pack_record(record));
}

void redis_group::write_holders() {
  for (const auto& [key, holder] : holders_) {
    if (holder.now == holder.stored)
      continue;
    changes.expect(redis_key::unique, key, holder.stored);
    if (holder.now.empty())
      changes.remove(redis_key::unique, key);
    else
      changes.set(redis_key::unique, key, holder.now);
  }
}

void redis_group::write_answers() {
  for (const auto& [scope, it] : answers_) {
    if (!it.dirty)
      continue;
    changes.expect(redis_key::answers, scope, it.token);
    changes.set(redis_key::answers, scope, pack_answer(it.known));
    changes.add(redis_key::forget, scope, it.known.expiry);
  }
}

void redis_group::write_limits() {
  for (const auto& [name, it] : limits_) {
    if (!it.dirty)
      continue;
    changes.expect(redis_key::limits, name, it.stored);
    if (it.now.is_idle())
      changes.remove(redis_key::limits, name);
    else
      changes.set(redis_key::limits, name, pack_limit(it.now));
  }
}

result<bool> redis_group::write() {
  if (failure_)
    return *failure_;
  std::size_t jobs = 0;
  for (auto& [id, it] : entries_)
    if (it.dirty) {
      write_entry(id, it);
      ++jobs;
    } else if (it.is_guarded) {
      changes.expect(redis_key::jobs, id, it.token);
    }
  write_holders();
  write_answers();
  write_records();
  write_links();
  write_limits();
  if (changes.empty())
    return true;
  const auto script = adds_ ? redis_script::apply_if_room : redis_script::apply;
  TROUPE_FAULT_POINT(store_writing);
  const auto reply = client_.eval(script, changes.args(version_), jobs);
  TROUPE_FAULT_POINT(store_written);
  if (!reply)
    return reply.error();
  return number_of(**reply) == 1;
}

} // namespace troupe::store
