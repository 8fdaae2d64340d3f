#include "actors/queue.hpp"

#include "actors/job_log.hpp"
#include "config/fault_points.hpp"
#include "config/log.hpp"
#include "config/metrics.hpp"

#include <algorithm>
#include <utility>

/// How leases are handed out, kept and given back.
namespace troupe::actors {

using namespace std::chrono_literals;

namespace {

/// One claim leases at most so many jobs.
constexpr std::uint32_t max_claim = 256;

double seconds_between(timestamp_ms from, timestamp_ms to) {
  return static_cast<double>(std::max<timestamp_ms>(0, to - from)) / 1000;
}

/// An end in order is no fault of an attempt.
store::release_reason reason_of(const caf::error& why) {
  return why == caf::exit_reason::user_shutdown
           ? store::release_reason::drain
           : store::release_reason::node_lost;
}

} // namespace

// -- claims -------------------------------------------------------------------

void queue_state::meet(announce& words) {
  auto& to = pools_[words.free.queue];
  if (to.manager && to.manager != words.manager)
    lose_manager(words.free.queue, to, store::release_reason::node_lost);
  self_->monitor(words.manager);
  to.manager = std::move(words.manager);
  to.room = words.free.slots;
  to.urgent_room = words.free.urgent;
  to.wake();
  for (const auto& held : words.held)
    if (!leases_.find(held.lease.id, held.lease.fence))
      leases_.add(held.lease, words.free.queue, held.type, now());
  if (!to.roll_forward.empty())
    self_->send(to.manager,
                lease_batch{std::exchange(to.roll_forward, {}), true});
  claim_all();
}

void queue_state::add_room(const room& more) {
  auto& to = pools_[more.queue];
  to.room += more.slots;
  to.urgent_room += more.urgent;
  claim_all();
}

room queue_state::take_room_back(const take_room& order) {
  auto& to = pools_[order.queue];
  const auto take = [](std::uint32_t& from, std::uint32_t most) {
    const auto taken = std::min(from, most);
    from -= taken;
    return taken;
  };
  return {order.queue, take(to.room, order.slots),
          take(to.urgent_room, order.urgent)};
}

void queue_state::claim_all() {
  for (auto& [queue, to] : pools_)
    while (to.manager && (to.wants_any() || to.wants_urgent()))
      if (draining_ || away_ || !store_ || !claim_for(queue, to))
        return;
}

/// @return false if the store gave no answer, or had no room for one.
bool queue_state::claim_for(const std::string& queue, pool& to) {
  store::claim_request request;
  request.queue = queue;
  request.node = options_.node;
  request.nonce = random_() | 1;
  request.urgent = !to.wants_any();
  request.max = std::min(request.urgent ? to.urgent_room : to.room, max_claim);
  request.lease_ms = options_.lease_ms;
  TROUPE_FAULT_POINT(claim_before);
  auto claimed = store_->claim(request);
  TROUPE_FAULT_POINT(claim_stored);
  if (!heard(claimed)) {
    if (away_)
      doubt({});
    return false;
  }
  const bool more = claimed->jobs.size() == request.max;
  to.urgent_work = more;
  if (!request.urgent)
    to.work = more;
  to.limited = claimed->limited;
  if (!claimed->promoted.empty())
    tell_promoted(std::move(claimed->promoted),
                  claimed->jobs.empty() ? store_now()
                                        : claimed->jobs.front().started_at);
  if (claimed->next_at != 0)
    claim_at(claimed->next_at);
  if (!claimed->jobs.empty())
    hand_out(to, std::move(claimed->jobs), request.urgent);
  return true;
}

void queue_state::tell_promoted(std::vector<store::job> jobs,
                                timestamp_ms time) {
  event_batch events;
  events.events.reserve(jobs.size());
  for (auto& job : jobs) {
    pools_[job.queue].wake(job);
    events.events.push_back({job_event_type::queued, time, std::move(job)});
  }
  emit(std::move(events));
}

/// A token comes back at that time of the store.
void queue_state::claim_at(timestamp_ms store_time) {
  const auto wait = std::chrono::milliseconds{
    std::max<std::int64_t>(1, store_time - store_now())};
  if (token_due_ > now() && token_due_ <= now() + wait)
    return;
  token_due_ = now() + wait;
  arm(queue_tick::token, wait);
}

void queue_state::hand_out(pool& to, std::vector<store::job> jobs,
                           bool urgent) {
  event_batch events;
  events.events.reserve(jobs.size());
  const auto at = now();
  lease_batch batch;
  batch.urgent = urgent;
  batch.jobs.reserve(jobs.size());
  for (auto& it : jobs) {
    const auto& shared = batch.jobs.emplace_back(std::move(it));
    const auto& job = *shared;
    events.events.push_back({job_event_type::started, job.started_at, shared});
    // Another server may have ended a lease of ours and queued the job again.
    lose_lease(job.id);
    leases_.add(job, at);
    touched_.insert(job.queue);
    tell_of("attempt started", job);
    if (options_.metrics)
      options_.metrics->attempt_started(
        job.type,
        seconds_between(std::max(job.created_at, job.run_at), job.started_at));
  }
  emit(std::move(events));
  auto& room = urgent ? to.urgent_room : to.room;
  room -= std::min(room, static_cast<std::uint32_t>(jobs.size()));
  self_->send(to.manager, std::move(batch));
  TROUPE_FAULT_POINT(claim_told);
}

// -- keeping leases -----------------------------------------------------------

result<void> queue_state::renew_leases() {
  const auto [held, stalled] = options_.board->count(now());
  for (const auto& it : stalled)
    end_stalled(it);
  auto verdicts = store_->renew(held, options_.lease_ms);
  TROUPE_FAULT_POINT(renewed);
  if (!heard(verdicts))
    return verdicts.error();
  for (std::size_t i = 0; i < held.size(); ++i)
    judge_lease(held[i], (*verdicts)[i]);
  return {};
}

void queue_state::judge_lease(const store::held_lease& held,
                              store::errc verdict) {
  if (verdict == store::errc::none || !leases_.find(held.id, held.fence))
    return;
  if (verdict == store::errc::invalid_state)
    return revoke(held.id, media::errc::cancelled);
  if (verdict == store::errc::pausing)
    return revoke(held.id, media::errc::interrupted, true);
  lose_lease(held.id);
}

void queue_state::end_stalled(const store::held_lease& held) {
  if (!leases_.find(held.id, held.fence))
    return;
  log::warn("an attempt gives no sign of life", {{"job", held.id}});
  if (options_.metrics)
    options_.metrics->attempt_stalled();
  revoke(held.id, media::errc::node_lost);
}

void queue_state::hear(renewal_report& news) {
  for (const auto& it : news.findings) {
    if (it.stalled)
      end_stalled(it.lease);
    else
      judge_lease(it.lease, it.verdict);
  }
  if (news.store_is_away && !away_)
    lose_store(fail(store::errc::unavailable, "the renewer hears nothing"));
  if (news.store_came_back && away_)
    retry_store();
}

void queue_state::store_progress() {
  if (away_ || !store_)
    return;
  const auto ops = leases_.take_unsaved();
  if (ops.empty())
    return;
  heard(apply(ops));
}

void queue_state::revoke(const std::string& id, media::errc why, bool pause) {
  auto* held = leases_.find(id);
  if (!held)
    return;
  if (why == media::errc::cancelled && std::exchange(held->cancel_told, true))
    return;
  if (pause && std::exchange(held->pause_told, true))
    return;
  if (const auto& manager = pools_[held->queue].manager)
    self_->send(manager, revoke_lease{id, held->fence, why, pause});
}

/// A lease of ours, if there is one, is another's or nobody's now.
void queue_state::lose_lease(const std::string& id) {
  const auto* held = leases_.find(id);
  if (!held)
    return;
  revoke(id, media::errc::interrupted);
  const auto fence = held->fence;
  end_lease(id, fence, "lost");
}

void queue_state::end_lease(const std::string& id, const store::fence& fence,
                            std::string_view outcome) {
  const auto* held = leases_.find(id, fence);
  if (!held)
    return;
  const std::chrono::duration<double> ran = now() - held->since;
  if (options_.metrics)
    options_.metrics->attempt_ended(held->type, outcome, ran.count());
  ended_[held->queue].count(now());
  overload_.note_end(held->queue, now());
  leases_.erase(id);
}

/// A job that ended while no attempt of it was under way.
void queue_state::discard(const store::job& job) {
  if (job.fence.epoch == 0)
    return; // never claimed
  if (const auto& manager = pools_[job.queue].manager)
    self_->send(manager, discard_files{{job.id}});
}

void queue_state::on_manager_down(const caf::down_msg& down) {
  for (auto& [queue, to] : pools_)
    if (to.manager && to.manager.address() == down.source)
      lose_manager(queue, to, reason_of(down.reason));
}

/// Its attempts die with it; a store that is away is told later.
void queue_state::lose_manager(const std::string& queue, pool& to,
                               store::release_reason why) {
  to.manager = nullptr;
  to.room = to.urgent_room = 0;
  // The next one announces all the room there is.
  group_.forget_room(queue);
  backlog_.forget_room(queue);
  std::vector<store::operation> ops;
  for (auto& held : leases_.held_by(queue))
    ops.emplace_back(store::release_op{std::move(held.id), held.fence, why});
  if (ops.empty())
    return;
  group_.add(std::move(ops), {}, {});
  arm_flush();
}

} // namespace troupe::actors
