#include "actors/manager.hpp"

#include "config/log.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace troupe::actors {

using namespace std::chrono_literals;

namespace {

/// A job actor reports within its own hard limit after a stop; then some.
constexpr auto stop_limit = 8000ms;
/// What the queue gets to store the last outcomes of a drain.
constexpr auto settle_limit = 5000ms;

} // namespace

void manager_state::start(manager_options options) {
  options_ = std::move(options);
  start_pool();
  self_->set_down_handler(
    [this](const caf::down_msg& down) { on_down(down.source); });
  self_->set_exit_handler([this](const caf::exit_msg& msg) { on_exit(msg); });
}

manager_state::entry* manager_state::find(const std::string& id,
                                          const store::fence& fence) {
  const auto at = leases_.find(id);
  return at != leases_.end() && at->second.fence == fence ? &at->second
                                                          : nullptr;
}

job_actor manager_state::sender() {
  return caf::actor_cast<job_actor>(self_->current_sender());
}

// -- placing ------------------------------------------------------------------

void manager_state::take(lease_batch& batch) {
  for (const auto& job : batch.jobs) {
    auto& it = leases_[job->id];
    it = {};
    it.fence = job->fence;
    it.type = job->type;
    it.busy = !batch.roll_forward;
    it.urgent = batch.urgent;
    auto& announced = batch.urgent ? urgent_outstanding_ : outstanding_;
    (batch.urgent ? urgent_busy_ : busy_) += it.busy;
    announced -= std::min<std::uint32_t>(announced, it.busy);
    if (batch.roll_forward) {
      it.phase = phase::publishing;
      it.done = {job->result, job->manifest};
    }
    if (draining_)
      release(job->id, it, store::release_reason::drain);
  }
  most_busy_ = std::max(most_busy_, busy_);
  if (draining_)
    return;
  if (batch.roll_forward)
    place(std::move(batch.jobs), true);
  else
    line_up(std::move(batch.jobs));
}

void manager_state::place(std::vector<job_ref> jobs, bool publish_only) {
  if (!who_.stage) {
    std::ranges::move(jobs, std::back_inserter(unplaced_));
    return;
  }
  for (const auto& job : jobs)
    if (auto* it = find(job->id, job->fence))
      it->placed = true;
  self_->send(who_.stage, place_order{std::move(jobs), publish_only,
                                      caf::actor_cast<manager_actor>(self_)});
}

void manager_state::meet(spawned& news) {
  for (auto& [id, fence, actor] : news.jobs) {
    auto* it = find(id, fence);
    if (!it) {
      // Lost meanwhile, or settled already: then nobody is there to hear it.
      self_->send(actor, settled{.accepted = false});
      continue;
    }
    if (!it->actor && it->phase != phase::settling)
      know_actor(id, *it, std::move(actor));
  }
}

void manager_state::know_actor(const std::string& id, entry& it,
                               job_actor actor) {
  self_->monitor(actor);
  by_actor_[actor.address()] = id;
  it.actor = std::move(actor);
  if (it.stop && it.phase == phase::working)
    self_->send(it.actor, stop_attempt{*it.stop});
}

void manager_state::stop(const std::string& id, entry& it, media::errc why) {
  if (it.phase != phase::working || it.stop)
    return;
  it.stop = why;
  if (is_in_line(it))
    return fail_lease(id, it, {why, "stopped before it began"});
  if (it.actor)
    self_->send(it.actor, stop_attempt{why});
}

void manager_state::revoke(const revoke_lease& order) {
  auto* it = find(order.id, order.fence);
  if (!it)
    return;
  if (order.why == media::errc::cancelled)
    return stop(order.id, *it, order.why);
  if (order.pause)
    return stop(order.id, *it, media::errc::interrupted);
  if (order.why == media::errc::node_lost) {
    it->stalled = true;
    return stop(order.id, *it, media::errc::interrupted);
  }
  const bool committed =
    it->phase == phase::committing || it->phase == phase::publishing;
  finish(order.id, *it, {.accepted = false, .rolls_on = committed});
}

void manager_state::discard(discard_files& order) {
  if (who_.stage)
    self_->send(who_.stage, std::move(order));
}

// -- what attempts say --------------------------------------------------------

void manager_state::hear(attempt_report& report) {
  auto* it = find(report.id, report.fence);
  if (!it) {
    if (!report.over)
      self_->send(sender(), settled{.accepted = false});
    return;
  }
  if (it->phase != phase::working || it->late)
    return;
  if (report.done && it->spawning > 0)
    it->late = {std::move(report), sender()};
  else
    end_attempt(*it, report, sender());
}

void manager_state::end_attempt(entry& it, attempt_report& report,
                                job_actor from) {
  learn(it.type, report.done ? report.finished.used : report.failure.used);
  if (it.unspawned || !report.done) {
    it.actor = std::move(from);
    return it.unspawned ? fail_unspawned(report.id, it)
                        : fail_lease(report.id, it, report.failure);
  }
  if (report.finished.files.empty()) {
    it.actor = report.over ? job_actor{} : std::move(from);
    return settle(report.id, it,
                  store::succeed_op{report.id, report.fence,
                                    std::move(report.finished.result)});
  }
  if (!it.actor)
    know_actor(report.id, it, std::move(from));
  it.done = std::move(report.finished);
  commit(report.id, it);
}

void manager_state::hear(checkpoint_report& report) {
  auto* it = find(report.id, report.fence);
  if (!it || it->phase != phase::working)
    return;
  if (!report.children.empty())
    return spawn_children(*it, report);
  push_news(store::checkpoint_op{report.id, report.fence, std::move(report.now),
                                 std::move(report.checkpoint)},
            {report.id, report.fence, op_kind::checkpoint});
}

void manager_state::hear(log_report& report) {
  if (find(report.id, report.fence))
    push_news(store::log_op{report.id, std::move(report.lines)},
              {report.id, report.fence, op_kind::checkpoint});
}

void manager_state::hear(progress_report& report) {
  const auto at = leases_.find(report.id);
  if (at == leases_.end() || at->second.fence.epoch != report.epoch)
    return;
  if (who_.hub)
    self_->send(who_.hub, report);
  if (who_.queue)
    self_->send(who_.queue, std::move(report));
}

/// Without its actor nothing comes of it.
bool manager_state::is_unfinished(const entry& it) {
  return it.phase == phase::publishing
         || (it.phase == phase::working && !it.late);
}

// -- deaths -------------------------------------------------------------------

void manager_state::on_down(const caf::actor_addr& dead) {
  if (who_.stage && who_.stage.address() == dead)
    return on_stage_down();
  auto known = by_actor_.extract(dead);
  if (known.empty())
    return;
  const auto at = leases_.find(known.mapped());
  if (at == leases_.end() || !at->second.actor
      || at->second.actor.address() != dead)
    return;
  auto& it = at->second;
  it.actor = nullptr;
  // Committing: what is staged is whole; its verdict tells how to go on.
  if (is_unfinished(it))
    release(at->first, it, store::release_reason::node_lost);
}

/// Actors that are known die with it, one by one; the others are lost now.
void manager_state::on_stage_down() {
  who_.stage = nullptr;
  for (auto& [id, it] : leases_)
    if (it.placed && !it.actor && is_unfinished(it))
      release(id, it, store::release_reason::node_lost);
}

void manager_state::on_exit(const caf::exit_msg& msg) {
  for (auto& [id, it] : leases_)
    if (it.actor)
      self_->send_exit(it.actor, caf::exit_reason::kill);
  self_->quit(msg.reason);
}

void manager_state::rewire(wiring& now_is) {
  const bool new_queue = now_is.queue && now_is.queue != who_.queue;
  const bool new_stage = now_is.stage && now_is.stage != who_.stage;
  const bool new_monitor = now_is.monitor && now_is.monitor != who_.monitor;
  if (who_.stage && now_is.stage != who_.stage)
    on_stage_down(); // the root has heard of it first
  who_ = std::move(now_is);
  if (new_stage) {
    self_->monitor(who_.stage);
    auto [forward, work] = [this] {
      std::pair<std::vector<job_ref>, std::vector<job_ref>> split;
      for (auto& job : std::exchange(unplaced_, {}))
        (job->publishing ? split.first : split.second)
          .push_back(std::move(job));
      return split;
    }();
    if (!forward.empty())
      place(std::move(forward), true);
    if (!work.empty())
      place(std::move(work), false);
  }
  if (new_queue)
    announce_all();
  if (new_monitor)
    report();
}

// -- draining -----------------------------------------------------------------

manager_state::drain_promise manager_state::drain() {
  auto promise = self_->make_response_promise<drained>();
  drained_.push_back(promise);
  if (!std::exchange(stepping_, true))
    self_->delayed_send(self_, options_.drain, drain_step{});
  if (!std::exchange(draining_, true)) {
    for (auto& job : std::exchange(unplaced_, {}))
      if (auto* it = find(job->id, job->fence))
        release(job->id, *it, store::release_reason::drain);
    give_up_line();
  }
  end_drain();
  return promise;
}

void manager_state::step(drain_step now_is) {
  switch (now_is.step) {
  case drain_step::interrupt:
    for (auto& [id, it] : leases_)
      stop(id, it, media::errc::interrupted);
    self_->delayed_send(self_, stop_limit, drain_step{drain_step::release});
    break;
  case drain_step::release:
    for (auto& [id, it] : leases_)
      if (it.phase == phase::working || it.phase == phase::publishing)
        release(id, it, store::release_reason::drain);
    self_->delayed_send(self_, settle_limit, drain_step{drain_step::give_up});
    break;
  case drain_step::give_up:
    stepping_ = false;
    for (auto& promise : std::exchange(drained_, {}))
      promise.deliver(drained{});
  }
}

void manager_state::end_drain() {
  if (!draining_ || !leases_.empty())
    return;
  for (auto& promise : std::exchange(drained_, {}))
    promise.deliver(drained{});
}

manager_impl::behavior_type manager(manager_state::self_ptr self,
                                    manager_options options) {
  auto& state = self->state;
  state.start(std::move(options));
  return {
    [&state](lease_batch& x) { state.take(x); },
    [&state](const revoke_lease& x) { state.revoke(x); },
    [&state](spawned& x) { state.meet(x); },
    [&state](attempt_report& x) { state.hear(x); },
    [&state](checkpoint_report& x) { state.hear(x); },
    [&state](progress_report& x) { state.hear(x); },
    [&state](publish_report& x) { state.hear(x); },
    [&state](log_report& x) { state.hear(x); },
    [&state](discard_files& x) { state.discard(x); },
    [&state](const node_sample& x) { state.hear(x); },
    [&state](wiring& x) { state.rewire(x); },
    [&state](drain_request) { return state.drain(); },
    [&state](manager_flush) { state.flush(); },
    [&state](const publish_again& x) { state.publish_once_more(x); },
    [&state](admit_again x) { state.admit(x); },
    [&state](drain_step x) { state.step(x); },
  };
}

} // namespace troupe::actors
