#include "actors/store/transitions.hpp"

#include "config/fault_points.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::store {

namespace {

constexpr verdict unchanged{};
constexpr verdict changed{errc::none, true, true};
constexpr verdict stored{errc::none, false, true};

constexpr verdict refused(errc why) {
  return {why, false, false};
}

bool holds(const job& it, const fence& proof) {
  return is_leased(it.state) && (it.fence == proof || TROUPE_WITHOUT(fence));
}

void end_lease(job& it, job_state state) {
  it.state = state;
  it.lease_until = 0;
  ++it.revision;
}

void finish(job& it, job_state state, timestamp_ms now) {
  end_lease(it, state);
  it.publishing = false;
  it.manifest.clear();
  it.finished_at = now;
}

/// Back to where it stood in the queue; the attempt does not count.
void give_back(job& it, timestamp_ms now) {
  if (it.attempt > 0)
    --it.attempt;
  if (it.state == job_state::cancelling)
    finish(it, job_state::cancelled, now);
  else
    end_lease(it, job_state::queued);
}

void lose(job& it, timestamp_ms now) {
  if (it.state == job_state::cancelling) {
    give_back(it, now);
    return;
  }
  it.errors.push_back(
    {"node_lost", "the attempt was lost with its node", true, it.attempt});
  if (++it.losses > max_losses)
    finish(it, job_state::failed, now);
  else
    give_back(it, now);
}

/// `fail` and `release` of an attempt that has ended already.
verdict ended_before(const job& it, const fence& proof) {
  const bool same = it.fence == proof && proof.nonce != 0;
  return same && it.state != job_state::succeeded ? unchanged
                                                  : refused(errc::stale_fence);
}

} // namespace

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

job make_job(const job_draft& draft, timestamp_ms now, durability reached) {
  job it;
  static_cast<job_draft&>(it) = draft;
  it.run_at = std::max({now, draft.run_at, now + draft.delay_ms});
  it.state = it.run_at > now ? job_state::scheduled : job_state::queued;
  it.revision = 1;
  it.created_at = now;
  it.reached = reached;
  return it;
}

verdict checkpoint(job& it, const checkpoint_op& op) {
  if (!holds(it, op.fence))
    return refused(errc::stale_fence);
  it.progress = op.progress;
  if (!op.checkpoint.empty())
    it.checkpoint = op.checkpoint;
  return stored;
}

verdict commit(job& it, const commit_op& op) {
  if (it.state == job_state::succeeded && it.fence == op.fence)
    return unchanged;
  if (!holds(it, op.fence))
    return refused(errc::stale_fence);
  if (it.state == job_state::cancelling)
    return refused(errc::invalid_state);
  if ((it.publishing && it.result == op.result && it.manifest == op.manifest)
      || TROUPE_WITHOUT(commit_record))
    return unchanged;
  it.publishing = true;
  it.result = op.result;
  it.manifest = op.manifest;
  ++it.revision;
  return changed;
}

verdict succeed(job& it, const succeed_op& op, timestamp_ms now) {
  if (it.state == job_state::succeeded && it.fence == op.fence)
    return unchanged;
  if (!holds(it, op.fence))
    return refused(errc::stale_fence);
  if (it.state == job_state::cancelling)
    return refused(errc::invalid_state);
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
    return refused(errc::invalid_state);
  if (!op.checkpoint.empty())
    it.checkpoint = op.checkpoint;
  if (it.state == job_state::cancelling) {
    finish(it, job_state::cancelled, now);
    return changed;
  }
  it.errors.push_back({op.code, op.message, op.retryable, it.attempt});
  if (!op.retryable || it.attempt >= it.max_attempts) {
    finish(it, job_state::failed, now);
    return changed;
  }
  it.run_at =
    now
    + std::max(backoff_ms(it.backoff, it.attempt, random), op.retry_after_ms);
  end_lease(it, it.run_at > now ? job_state::scheduled : job_state::queued);
  return changed;
}

verdict release(job& it, const release_op& op, timestamp_ms now) {
  if (!holds(it, op.fence))
    return ended_before(it, op.fence);
  if (it.publishing) {
    it.lease_until = now;
    return stored;
  }
  if (op.reason == release_reason::node_lost)
    lose(it, now);
  else
    give_back(it, now);
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
  it.state = job_state::cancelling;
  ++it.revision;
  return changed;
}

verdict retry(job& it, timestamp_ms now) {
  if (it.state != job_state::failed && it.state != job_state::cancelled)
    return refused(errc::invalid_state);
  it.state = job_state::queued;
  it.attempt = 0;
  it.losses = 0;
  it.progress = {};
  it.run_at = now;
  it.finished_at = 0;
  ++it.revision;
  return changed;
}

void promote(job& it) {
  it.state = job_state::queued;
  ++it.revision;
}

void lease(job& it, const claim_request& request, timestamp_ms now) {
  it.state = job_state::running;
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
  give_back(it, now);
}

void roll_forward(job& it, const sweep_request& request, timestamp_ms now) {
  it.fence = {it.fence.epoch + 1, request.nonce};
  it.lease_until = now + request.lease_ms;
  it.node = request.node;
  ++it.revision;
}

} // namespace troupe::store
