#include "actors/queue.hpp"

#include "actors/job_log.hpp"
#include "config/fault_points.hpp"

#include <algorithm>
#include <utility>

/// What a queue does when its time has come, and by whose clock.
namespace troupe::actors {

using namespace std::chrono_literals;

namespace {

constexpr auto poll_every = 500ms; ///< for the work of other servers
constexpr auto sweep_every = 1000ms;

std::int64_t in_ms(std::chrono::steady_clock::time_point at) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
           at.time_since_epoch())
    .count();
}

} // namespace

// -- time ---------------------------------------------------------------------

queue_state::clock::time_point queue_state::now() const {
  return self_->clock().now();
}

/// The store's clock as of the last sweep, gone on; ours until one was made.
timestamp_ms queue_state::store_now() const {
  return store_offset_ ? in_ms(now()) + *store_offset_ : wall_clock();
}

/// What the store itself has noted, if it has.
timestamp_ms queue_state::time_of(job_event_type type,
                                  const store::job& job) const {
  switch (type) {
  case job_event_type::created:
    return job.created_at;
  case job_event_type::started:
    return job.started_at;
  case job_event_type::succeeded:
  case job_event_type::failed:
  case job_event_type::cancelled:
    return job.finished_at;
  default:
    return std::max({store_now(), job.created_at, job.started_at});
  }
}

void queue_state::arm(queue_tick::kind_type kind, clock::duration after) {
  const queue_tick next{kind, ++newest_tick_[kind]};
  if (after <= 0ms)
    self_->send(self_, next);
  else
    self_->delayed_send(self_, after, next);
}

/// Makes the next sweep no later than the given instant of the store.
void queue_state::sweep_at(timestamp_ms store_time) {
  const auto wait = std::chrono::milliseconds{
    std::max<std::int64_t>(1, store_time - store_now())};
  if (now() + wait + 5ms >= sweep_due_)
    return;
  sweep_due_ = now() + wait;
  arm(queue_tick::sweep, wait);
}

void queue_state::tick(queue_tick what) {
  if (what.number != newest_tick_[what.kind])
    return;
  switch (what.kind) {
  case queue_tick::save:
    arm(queue_tick::save, std::chrono::milliseconds{options_.lease_ms / 3});
    return store_progress();
  case queue_tick::sweep:
    return sweep();
  case queue_tick::poll:
    for (auto& [queue, to] : pools_)
      to.wake();
    claim_all();
    return arm(queue_tick::poll, poll_every);
  case queue_tick::token:
    for (auto& [queue, to] : pools_)
      if (to.limited)
        to.wake();
    return claim_all();
  case queue_tick::retry:
    return retry_store();
  case queue_tick::follow:
    return follow();
  case queue_tick::stats:
    return tell_stats();
  case queue_tick::count:
    break;
  }
}

// -- sweeping -----------------------------------------------------------------

void queue_state::sweep() {
  sweep_due_ = now() + sweep_every;
  arm(queue_tick::sweep, sweep_every);
  if (away_ || !store_ || !catch_up() || !settle_doubts())
    return;
  store::sweep_request request;
  request.node = options_.node;
  request.nonce = random_() | 1;
  request.lease_ms = options_.lease_ms;
  auto found = store_->sweep(request);
  TROUPE_FAULT_POINT(swept);
  if (!heard(found))
    return;
  store_offset_ = found->now - in_ms(now());
  options_.status->reaches = store_->level();
  take_sweep(*found);
  if (found->more)
    arm(queue_tick::sweep, {});
  else if (found->next_due > 0)
    sweep_at(found->next_due);
  claim_all();
}

/// What there was no room for is tried again. Leases come first: none is to
/// expire for want of room.
/// @return false if there is still none, or no answer
bool queue_state::catch_up() {
  if (std::exchange(full_, false) && !renew_leases())
    return false;
  return replay() && adopt_once();
}

/// Takes back leases of this node that nobody knows here.
/// @return false if the store did not do it; it is asked again then.
bool queue_state::adopt(store::release_reason reason) {
  store::sweep_request request;
  request.node = options_.node;
  request.nonce = adopt_nonce_;
  request.lease_ms = options_.lease_ms;
  request.keep = leases_.held();
  request.reason = reason;
  for (bool more = true; more;) {
    auto found = store_->adopt(request);
    TROUPE_FAULT_POINT(adopted);
    if (!heard(found))
      return false;
    take_sweep(*found);
    more = found->more;
  }
  return true;
}

/// Those of an earlier process, if they are still to be taken back.
bool queue_state::adopt_once() {
  if (options_.adopt && !adopt(store::release_reason::node_lost))
    return false;
  options_.adopt = false;
  return true;
}

/// A claim that nobody heard the answer of, and that may even happen later
/// than we think: its leases began no attempt, so they cost nothing.
void queue_state::doubt(clock::duration patience) {
  doubt_from_ = now() + patience;
  doubt_until_ = doubt_from_ + 2 * std::chrono::milliseconds{options_.lease_ms};
}

bool queue_state::settle_doubts() {
  if (now() < doubt_from_ || now() >= doubt_until_)
    return true;
  return adopt(store::release_reason::drain);
}

void queue_state::take_sweep(store::sweep_result& found) {
  event_batch events;
  for (auto& job : found.queued) {
    pools_[job.queue].wake(job);
    events.events.push_back(
      {job_event_type::queued, found.now, std::move(job)});
  }
  for (auto& job : found.expired) {
    lose_lease(job.id);
    tell_of("lease lost", job);
    pools_[job.queue].wake(job);
    if (store::is_terminal(job.state))
      discard(job);
    if (const auto type = event_of_state(job.state, job_event_type::queued))
      events.events.push_back({*type, found.now, std::move(job)});
  }
  emit(std::move(events));
  take_changed(found.changed, found.now);
  take_batches(found.batches, found.now);
  roll_forward(std::move(found.roll_forward));
}

void queue_state::roll_forward(std::vector<store::job> jobs) {
  for (auto& job : jobs) {
    TROUPE_FAULT_POINT(rolled_forward);
    lose_lease(job.id);
    leases_.add(job, now(), true);
    auto& to = pools_[job.queue];
    to.roll_forward.push_back(std::move(job));
  }
  for (auto& [queue, to] : pools_)
    if (to.manager && !to.roll_forward.empty())
      self_->send(to.manager,
                  lease_batch{std::exchange(to.roll_forward, {}), true});
}

} // namespace troupe::actors
