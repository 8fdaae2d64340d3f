#include "actors/queue.hpp"

#include "actors/job_log.hpp"
#include "actors/queue_ops.hpp"
#include "config/fault_points.hpp"
#include "config/log.hpp"
#include "config/metrics.hpp"

#include <algorithm>
#include <utility>

namespace troupe::actors {

namespace {

/// How long the oldest attempt of each queue runs.
template <class Pools>
void show_running(const lease_table& leases, const Pools& pools,
                  std::chrono::steady_clock::time_point now,
                  config::metrics& metrics) {
  const auto oldest = leases.oldest();
  for (const auto& [queue, pool] : pools) {
    const auto found = oldest.find(queue);
    const std::chrono::duration<double> ran =
      found == oldest.end() ? now - now : now - found->second;
    metrics.queue_oldest_age(queue, "running", ran.count());
  }
}

void count_ends(const event_batch& events, config::metrics& metrics) {
  for (const auto& it : events.events) {
    const bool ended = it.type == job_event_type::succeeded
                       || it.type == job_event_type::failed
                       || it.type == job_event_type::cancelled;
    if (!ended)
      continue;
    const auto ms = it.job->finished_at - it.job->created_at;
    metrics.job_ended(it.job->type, store::to_string(it.job->state),
                      static_cast<double>(std::max<timestamp_ms>(ms, 0))
                        / 1000);
  }
}

} // namespace

void queue_state::start(queue_options options) {
  options_ = std::move(options);
  // One that died may have been told.
  draining_ = options_.status->draining;
  overload_ = overload_guard{options_.overload};
  adopt_nonce_ = random_() | 1;
  leases_.join(options_.board, options_.stall);
  load_spool();
  self_->set_down_handler(
    [this](const caf::down_msg& down) { on_manager_down(down); });
  self_->set_exit_handler([this](const caf::exit_msg& msg) { on_exit(msg); });
  wake();
}

// -- from the edge ------------------------------------------------------------

void queue_state::submit(submit_request& request) {
  if (draining_)
    return request.reply(fail(errc::draining));
  if (!options_.spool && no_store(request.reply))
    return;
  const auto& draft = request.op.draft;
  if (auto why = overload_of(draft.queue, 1, draft.deadline_ms > 0))
    return request.reply(std::move(*why));
  if (!group_.claim_key(request.op.idempotency.scope))
    return request.reply(fail(errc::idempotency_in_progress));
  if (request.op.draft.id.empty())
    request.op.draft.id = ids_.mint(wall_clock());
  group_.add(std::move(request));
  arm_flush();
}

void queue_state::command(job_command& request) {
  if (no_store(request.reply))
    return;
  group_.add(std::move(request));
  arm_flush();
}

void queue_state::get(get_request& request) {
  if (const auto* waits = spooled_.find(request.id))
    return request.reply(*waits);
  if (no_store(request.reply))
    return;
  auto found = store_->get(request.id);
  if (heard(found))
    leases_.show_live(*found);
  request.reply(std::move(found));
}

void queue_state::list(list_request& request) {
  if (no_store(request.reply))
    return;
  auto page = store_->list(request.query);
  if (heard(page))
    for (auto& job : page->jobs)
      leases_.show_live(job);
  request.reply(std::move(page));
}

void queue_state::depths(depths_request& request) {
  if (no_store(request.reply))
    return;
  auto found = store_->depths();
  heard(found);
  if (options_.metrics)
    show_running(leases_, pools_, now(), *options_.metrics);
  request.reply(std::move(found));
}

void queue_state::emit(event_batch events) {
  if (options_.metrics)
    count_ends(events, *options_.metrics);
  if (hub_ && !(events.events.empty() && events.subjects.empty()))
    self_->send(hub_, std::move(events));
}

// -- the rest -----------------------------------------------------------------

void queue_state::note_progress(progress_report& report) {
  leases_.note(report.id, report.epoch, std::move(report.now));
}

void queue_state::rewire(wiring& now_is) {
  hub_ = now_is.hub;
  callbacks_ = now_is.callbacks;
  callbacks_told_ = false;
}

drained queue_state::drain() {
  draining_ = true;
  options_.status->draining = true;
  return {};
}

void queue_state::on_exit(const caf::exit_msg& msg) {
  draining_ = true;
  // In order: all managers have ended, though we may not have heard of it.
  if (msg.reason == caf::exit_reason::user_shutdown)
    for (auto& [queue, to] : pools_)
      lose_manager(queue, to, store::release_reason::drain);
  while (store_ && !away_ && !group_.empty())
    write(std::exchange(group_, {}), false);
  hold_back(std::exchange(group_, {}), fail(store::errc::unavailable), false);
  options_.status->store_up = false;
  self_->quit(msg.reason);
}

queue_impl::behavior_type queue(queue_state::self_ptr self,
                                queue_options options) {
  auto& state = self->state;
  state.start(std::move(options));
  return {
    [&state](submit_request& x) { state.submit(x); },
    [&state](job_command& x) { state.command(x); },
    [&state](get_request& x) { state.get(x); },
    [&state](list_request& x) { state.list(x); },
    [&state](depths_request& x) { state.depths(x); },
    [&state](queues_request& x) { state.queues(x); },
    [&state](store_call& x) { state.call(x); },
    [&state](change_call& x) { state.change(x); },
    [&state](batch_call& x) { state.submit_batch(x); },
    [&state](batch_request& x) { state.show_batch(x); },
    [&state](bulk_call& x) { state.bulk(x); },
    [&state](log_call& x) { state.show_log(x); },
    [&state](const take_callbacks& x) { return state.take_callbacks_due(x); },
    [&state](const store::callback_settlement& x) { state.settle_callback(x); },
    [&state](announce& x) { state.meet(x); },
    [&state](const room& x) { state.add_room(x); },
    [&state](settle_request& x) { return state.settle(x); },
    [&state](progress_report& x) { state.note_progress(x); },
    [&state](renewal_report& x) { state.hear(x); },
    [&state](wiring& x) { state.rewire(x); },
    [&state](drain_request) { return state.drain(); },
    [&state](const take_room& x) { return state.take_room_back(x); },
    [&state](queue_flush) { state.flush(); },
    [&state](const queue_tick& x) { state.tick(x); },
  };
}

} // namespace troupe::actors
