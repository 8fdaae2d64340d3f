#include "actors/store/transitions.hpp"

#include "config/fault_points.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace troupe::store {

namespace {

constexpr verdict unchanged{};
constexpr verdict changed{errc::none, true, true};
constexpr verdict stored{errc::none, false, true};

constexpr verdict rejected(errc why) {
  return {why, false, false};
}

/// Adds a line to the job's log; of many the oldest go.
void note(job& it, job_note line) {
  if (it.notes.size() == max_notes) {
    auto& oldest = it.notes.front();
    if (oldest.kind != note_kind::left_out)
      oldest = {oldest.time, note_kind::left_out, 1, {}};
    ++oldest.number;
    oldest.time = it.notes[1].time;
    it.notes.erase(it.notes.begin() + 1);
  }
  it.notes.push_back(std::move(line));
}

/// Tells of the attempt that has the newest error, and is not the last.
void note_failure(job& it, timestamp_ms now) {
  note_start(it);
  const auto newest = static_cast<std::uint32_t>(it.errors.size() - 1);
  note(it, {now, note_kind::failed, newest, {}});
}

/// An end that is taken back.
void note_end(job& it) {
  note_start(it);
  const auto newest = static_cast<std::uint32_t>(it.errors.size() - 1);
  const auto at = it.finished_at;
  if (it.state == job_state::failed)
    return note(it, {at, note_kind::ended, newest, {}});
  if (was_refused(it))
    note(it, {at, note_kind::failed, newest, {}});
  note(it, {at, note_kind::cancelled, 0, {}});
}

bool holds(const job& it, const fence& proof) {
  return is_leased(it.state) && (it.fence == proof || TROUPE_WITHOUT(fence));
}

void end_lease(job& it, job_state state) {
  it.state = state;
  it.lease_until = 0;
  it.pausing = false;
  ++it.revision;
}

/// Ends a lease of a job that is to have another.
void end_attempt(job& it, job_state next, timestamp_ms now) {
  if (it.pausing)
    note(it, {now, note_kind::paused, 0, {}});
  end_lease(it, it.pausing ? job_state::paused : next);
}

void finish(job& it, job_state state, timestamp_ms now) {
  end_lease(it, state);
  it.publishing = false;
  it.manifest.clear();
  it.finished_at = now;
}

/// Back to where it stood in the queue; the attempt does not count.
void give_back(job& it, timestamp_ms now) {
  it.uncounted = true;
  if (it.state == job_state::cancelling)
    finish(it, job_state::cancelled, now);
  else
    end_attempt(it, job_state::queued, now);
}

void lose(job& it, timestamp_ms now) {
  if (it.state == job_state::cancelling) {
    give_back(it, now);
    return;
  }
  it.errors.push_back(
    {"node_lost", "the attempt was lost with its node", true, it.attempt});
  if (++it.losses > max_losses)
    return finish(it, job_state::failed, now);
  note_failure(it, now);
  give_back(it, now);
}

/// The one way out of publishing but success.
verdict lose_result(job& it, const fail_op& op, timestamp_ms now) {
  it.errors.push_back({op.code, op.message, false, it.attempt});
  it.result.clear();
  finish(it, job_state::failed, now);
  return changed;
}

/// `fail` and `release` of an attempt that has ended already.
verdict ended_before(const job& it, const fence& proof) {
  const bool same = it.fence == proof && proof.nonce != 0;
  return same && it.state != job_state::succeeded ? unchanged
                                                  : rejected(errc::stale_fence);
}

} // namespace

void note_start(job& it) {
  if (std::exchange(it.start_told, it.fence.epoch) == it.fence.epoch)
    return;
  note(it, {it.started_at, note_kind::started, it.attempt, it.node});
}

std::int64_t backoff_ms(const backoff& policy, std::uint32_t attempt,
                        double random) noexcept {
  const double exponent = attempt > 1 ? attempt - 1 : 0;
  const double grown = policy.initial_s * std::pow(policy.factor, exponent);
  // A power that overflows is no number to be cast.
  const double base =
    std::isfinite(grown) ? std::min(grown, policy.max_s) : policy.max_s;
  const double spread = 1 + policy.jitter * (2 * random - 1);
  return std::llround(std::max(0.0, base * spread) * 1000);
}

job_state waiting_place(const job& it, timestamp_ms now) noexcept {
  if (it.pending > 0)
    return job_state::blocked;
  return it.run_at > now ? job_state::scheduled : job_state::queued;
}

job make_job(const job_draft& draft, timestamp_ms now, durability reached) {
  job it;
  static_cast<job_draft&>(it) = draft;
  it.run_at = std::max({now, draft.run_at, now + draft.delay_ms});
  it.pending = static_cast<std::uint32_t>(draft.depends_on.size());
  it.state = waiting_place(it, now);
  it.revision = 1;
  it.created_at = now;
  it.reached = reached;
  return it;
}

verdict checkpoint(job& it, const checkpoint_op& op) {
  if (!holds(it, op.fence))
    return rejected(errc::stale_fence);
  it.progress = op.progress;
  if (!op.checkpoint.empty())
    it.checkpoint = op.checkpoint;
  return stored;
}

verdict commit(job& it, const commit_op& op) {
  if (it.state == job_state::succeeded && it.fence == op.fence)
    return unchanged;
  if (!holds(it, op.fence))
    return rejected(errc::stale_fence);
  if (it.state == job_state::cancelling)
    return rejected(errc::invalid_state);
  if ((it.publishing && it.result == op.result && it.manifest == op.manifest)
      || TROUPE_WITHOUT(commit_record))
    return unchanged;
  it.publishing = true;
  it.pausing = false;
  it.result = op.result;
  it.manifest = op.manifest;
  ++it.revision;
  return changed;
}

verdict succeed(job& it, const succeed_op& op, timestamp_ms now) {
  if (it.state == job_state::succeeded && it.fence == op.fence)
    return unchanged;
  if (!holds(it, op.fence))
    return rejected(errc::stale_fence);
  if (it.state == job_state::cancelling)
    return rejected(errc::invalid_state);
  if (!op.result.empty())
    it.result = op.result;
  finish(it, job_state::succeeded, now);
  return changed;
}

verdict fail_attempt(job& it, const fail_op& op, timestamp_ms now,
                     double random) {
  if (!holds(it, op.fence))
    return ended_before(it, op.fence);
  if (it.publishing)
    return op.result_lost ? lose_result(it, op, now)
                          : rejected(errc::invalid_state);
  if (!op.checkpoint.empty())
    it.checkpoint = op.checkpoint;
  if (it.state == job_state::cancelling) {
    finish(it, job_state::cancelled, now);
    return changed;
  }
  const bool poison = op.crash && ++it.crashes >= max_crashes;
  it.errors.push_back({poison ? "poison" : op.code, op.message,
                       op.retryable && !poison, it.attempt});
  const bool again = op.retryable && it.attempt < it.max_attempts;
  if (poison || !(again || op.crash)) {
    finish(it, job_state::failed, now);
    return changed;
  }
  it.run_at =
    now
    + std::max(backoff_ms(it.backoff, it.attempt, random), op.retry_after_ms);
  note_failure(it, now);
  it.uncounted = op.crash;
  end_attempt(it, waiting_place(it, now), now);
  return changed;
}

verdict release(job& it, const release_op& op, timestamp_ms now) {
  if (!holds(it, op.fence))
    return ended_before(it, op.fence);
  if (it.publishing) {
    it.lease_until = now + op.delay_ms;
    return stored;
  }
  if (op.reason == release_reason::node_lost)
    lose(it, now);
  else
    take_back(it, now);
  if (op.reason == release_reason::postponed && op.delay_ms > 0
      && it.state == job_state::queued) {
    it.state = job_state::scheduled;
    it.run_at = now + op.delay_ms;
  }
  return changed;
}

verdict cancel(job& it, timestamp_ms now) {
  if (is_waiting(it.state)) {
    finish(it, job_state::cancelled, now);
    return changed;
  }
  if (it.state != job_state::running || it.publishing)
    return unchanged;
  note_start(it);
  note(it, {now, note_kind::cancel_asked, 0, {}});
  it.state = job_state::cancelling;
  it.pausing = false;
  ++it.revision;
  return changed;
}

verdict retry(job& it, std::uint32_t pending, timestamp_ms now) {
  if (it.state != job_state::failed && it.state != job_state::cancelled)
    return rejected(errc::invalid_state);
  note_end(it);
  note(it, {now, note_kind::retried, 0, {}});
  it.attempt = 0;
  it.uncounted = false;
  it.losses = 0;
  it.crashes = 0;
  it.pending = pending;
  it.progress = {};
  it.run_at = now;
  it.finished_at = 0;
  it.state = waiting_place(it, now);
  ++it.revision;
  return changed;
}

verdict pause(job& it, timestamp_ms now) {
  if (it.publishing || it.pausing || it.state == job_state::paused)
    return unchanged;
  if (it.state == job_state::running) {
    note_start(it);
    note(it, {now, note_kind::pause_asked, 0, {}});
    it.pausing = true;
  } else if (is_waiting(it.state)) {
    note(it, {now, note_kind::paused, 0, {}});
    it.state = job_state::paused;
  } else {
    return rejected(errc::invalid_state);
  }
  ++it.revision;
  return changed;
}

verdict resume(job& it, timestamp_ms now) {
  if (it.pausing)
    it.pausing = false;
  else if (it.state == job_state::paused)
    it.state = waiting_place(it, now);
  else if (it.publishing || is_waiting(it.state))
    return unchanged;
  else
    return rejected(errc::invalid_state);
  note(it, {now, note_kind::resumed, 0, {}});
  ++it.revision;
  return changed;
}

void parent_ended(job& it, timestamp_ms now) {
  if (it.pending > 0)
    --it.pending;
  if (it.pending > 0)
    return;
  it.run_at = std::max(it.run_at, now);
  if (it.state == job_state::blocked)
    it.state = waiting_place(it, now);
  ++it.revision;
}

void give_up(job& it, job_error why, timestamp_ms now) {
  const auto end = why.code.empty() ? job_state::cancelled : job_state::failed;
  if (!why.code.empty())
    it.errors.push_back(std::move(why));
  finish(it, end, now);
}

void promote(job& it) {
  it.state = job_state::queued;
  ++it.revision;
}

void lease(job& it, const claim_request& request, timestamp_ms now) {
  it.state = job_state::running;
  if (!std::exchange(it.uncounted, false))
    ++it.attempt;
  ++it.revision;
  it.progress = {};
  it.fence = {it.fence.epoch + 1, request.nonce};
  it.lease_until = now + request.lease_ms;
  it.node = request.node;
  it.started_at = now;
}

void expire(job& it, timestamp_ms now) {
  lose(it, now);
}

void take_back(job& it, timestamp_ms now) {
  if (it.state != job_state::cancelling) {
    note_start(it);
    note(it, {now, note_kind::given_back, it.attempt, {}});
  }
  give_back(it, now);
}

bool is_kept(const job& it, const sweep_request& request) {
  return it.fence.nonce == request.nonce
         || std::ranges::any_of(request.keep, [&](const held_lease& one) {
              return one.fence == it.fence && one.id == it.id;
            });
}

void roll_forward(job& it, const sweep_request& request, timestamp_ms now) {
  note_start(it);
  note(it, {now, note_kind::taken_over, 0, request.node});
  it.fence = {it.fence.epoch + 1, request.nonce};
  it.start_told = it.fence.epoch;
  it.lease_until = now + request.lease_ms;
  it.node = request.node;
  ++it.revision;
}

errc renewed(const job& it) noexcept {
  if (it.pausing)
    return errc::pausing;
  return it.state == job_state::cancelling ? errc::invalid_state : errc::none;
}

} // namespace troupe::store
