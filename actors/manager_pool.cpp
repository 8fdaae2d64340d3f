#include "actors/manager.hpp"

#include "config/log.hpp"
#include "config/metrics.hpp"

#include <algorithm>
#include <utility>

/// How many jobs a manager takes on, and when they may begin.
namespace troupe::actors {

using namespace std::chrono_literals;

namespace {

/// Other pools give back what this one waits for, too.
constexpr auto admit_every = 100ms;
/// Another node may have what a lease waited for here so long.
constexpr auto line_patience = 10s;
constexpr double line_pause_s = 2;
/// So often a job is postponed before the budget is kept for it.
constexpr unsigned patient_turns = 2;
constexpr std::size_t most_postponed = 1000;

} // namespace

void manager_state::start_pool() {
  allowed_ = options_.slots;
  if (options_.scale) {
    options_.scale->ceiling = options_.slots;
    scale_.emplace(*options_.scale);
    allowed_ = scale_->slots();
  }
  decided_.slots = allowed_;
  costs_ = std::make_unique<cost_book>(
    options_.declared ? options_.declared
                      : [](std::string_view) { return media::job_cost{}; });
  if (options_.budget)
    options_.budget->reset(options_.queue);
}

// -- room ---------------------------------------------------------------------

/// The room that may be announced. Of jobs like the newest as many as the
/// budget has left; one, at least, finds out whether others are cheaper.
std::uint32_t manager_state::spare() const {
  const auto used = busy_ + outstanding_;
  if (draining_ || decided_.held || !line_.empty() || used >= allowed_)
    return 0;
  const auto free = allowed_ - used;
  if (!options_.budget || newest_type_.empty())
    return free;
  const auto fitting = std::max(
    1u, options_.budget->fitting(options_.queue, costs_->of(newest_type_)));
  return fitting > outstanding_ ? std::min(free, fitting - outstanding_) : 0;
}

std::uint32_t manager_state::urgent_spare() const {
  const auto used = urgent_busy_ + urgent_outstanding_;
  if (draining_ || decided_.held || used >= options_.urgent)
    return 0;
  return options_.urgent - used;
}

bool manager_state::has_spare() const {
  return spare() > 0 || urgent_spare() > 0;
}

room manager_state::announce_spare() {
  const room more{options_.queue, spare(), urgent_spare()};
  outstanding_ += more.slots;
  urgent_outstanding_ += more.urgent;
  return more;
}

void manager_state::hear(const node_sample& now_is) {
  if (scale_) {
    scale_signals signals;
    signals.now = self_->clock().now();
    signals.busy = std::exchange(most_busy_, busy_);
    signals.queued = now_is.queued;
    signals.oldest_age_s = now_is.oldest_age_s;
    signals.cpu = now_is.cpu;
    signals.memory = now_is.memory;
    signals.disk = now_is.disk;
    apply(scale_->decide(signals));
  }
  if (has_spare())
    arm_flush();
  take_back();
  report();
}

void manager_state::apply(const scale_decision& decision) {
  const auto was = std::exchange(decided_, decision);
  allowed_ = decision.slots;
  if (was.slots == decision.slots && was.held == decision.held)
    return;
  const auto words = to_string(decision.reason);
  log::info(decision.held ? "a pool claims nothing"
            : was.held    ? "a pool claims again"
                          : "a pool's slots have changed",
            {{"queue", options_.queue},
             {"slots", std::to_string(decision.slots)},
             {"before", std::to_string(was.slots)},
             {"reason", std::string{words}}});
  if (options_.metrics)
    options_.metrics->pool_decided(options_.queue, words);
}

/// Room that was announced before the pool shrank or was held.
void manager_state::take_back() {
  const auto allowed = decided_.held ? 0 : allowed_;
  const auto used = busy_ + outstanding_;
  const auto more = std::min(used - std::min(used, allowed), outstanding_);
  const auto urgent = decided_.held ? urgent_outstanding_ : 0;
  if ((more == 0 && urgent == 0) || !who_.queue || std::exchange(taking_, true))
    return;
  // A queue that dies forgets its room, and hears of ours anew.
  self_
    ->request(who_.queue, caf::infinite,
              take_room{options_.queue, more, urgent})
    .then(
      [this, of = who_.queue](const room& taken) {
        if (of != who_.queue || !std::exchange(taking_, false))
          return;
        outstanding_ -= std::min(outstanding_, taken.slots);
        urgent_outstanding_ -= std::min(urgent_outstanding_, taken.urgent);
      },
      [](const caf::error&) {});
}

void manager_state::report() {
  pool_view now;
  now.name = options_.queue;
  now.slots = allowed_;
  now.floor = scale_ ? scale_->limits().floor : options_.slots;
  now.ceiling = options_.slots;
  now.busy = busy_ + urgent_busy_;
  now.waiting = static_cast<std::uint32_t>(line_.size());
  now.held = decided_.held;
  now.reason = to_string(decided_.reason);
  now.ended = ended_;
  now.failed = failed_;
  now.costs = costs_->all();
  if (options_.metrics)
    options_.metrics->pool(now.name, now.slots, now.busy, now.waiting,
                           now.held);
  if (who_.monitor)
    self_->send(
      who_.monitor,
      pool_report{std::move(now), caf::actor_cast<manager_actor>(self_)});
}

// -- the budget ---------------------------------------------------------------

void manager_state::line_up(std::vector<job_ref> jobs) {
  newest_type_ = jobs.empty() ? newest_type_ : jobs.back()->type;
  if (!options_.budget)
    return place(std::move(jobs), false);
  const auto now = self_->clock().now();
  std::vector<job_ref> urgent;
  for (auto& job : jobs) {
    auto* it = find(job->id, job->fence);
    if (job->deadline_ms > 0 && it) {
      it->cost = costs_->of(job->type);
      options_.budget->take_anyway(options_.queue, *it->cost);
      urgent.push_back(std::move(job));
    } else {
      line_.push_back({std::move(job), now});
    }
  }
  if (!urgent.empty())
    place(std::move(urgent), false);
  admit();
}

bool manager_state::is_in_line(const entry& it) const {
  return options_.budget && it.phase == phase::working && it.busy && !it.cost
         && !it.placed && !it.actor;
}

bool manager_state::has_budget(const job_ref& job, entry& it) {
  const auto& cost = costs_->of(job->type);
  if (!options_.budget->take(options_.queue, cost))
    return false;
  it.cost = cost;
  postponed_.erase(job->id);
  return true;
}

void manager_state::admit(admit_again why) {
  admit_armed_ = admit_armed_ && !why.timer;
  admit();
}

/// First come, first served: what does not fit is not overtaken, or it might
/// wait for ever.
void manager_state::admit() {
  std::vector<job_ref> go;
  while (!line_.empty()) {
    auto& job = line_.front().job;
    auto* it = find(job->id, job->fence);
    if (it && is_in_line(*it)) {
      if (!has_budget(job, *it))
        break;
      go.push_back(std::move(job));
    }
    line_.pop_front();
  }
  keep_no_more();
  if (!go.empty())
    place(std::move(go), false);
  if (!line_.empty())
    wait_in_line();
  if (has_spare())
    arm_flush();
}

void manager_state::wait_in_line() {
  const auto now = self_->clock().now();
  const bool kept = keep_for_first();
  for (const auto& one : line_) {
    const auto& [job, since] = one;
    auto* it = find(job->id, job->fence);
    if (!it || !is_in_line(*it))
      continue;
    const bool stays = kept && &one == &line_.front();
    if (now - since >= line_patience && !stays)
      postpone(job->id, *it);
    else if (options_.on_beat)
      options_.on_beat(job->id, job->fence);
  }
  if (!std::exchange(admit_armed_, true))
    self_->delayed_send(self_, admit_every, admit_again{true});
}

void manager_state::postpone(const std::string& id, entry& it) {
  if (postponed_.size() >= most_postponed)
    postponed_.clear();
  ++postponed_[id];
  fail_lease(id, it, {media::errc::interrupted, "no room", line_pause_s, true});
}

/// What was postponed again and again, since smaller jobs took whatever was
/// free, has its turn next: it waits here until enough is.
bool manager_state::keep_for_first() {
  const auto& job = line_.front().job;
  const auto* it = find(job->id, job->fence);
  const auto at = postponed_.find(job->id);
  if (!it || !is_in_line(*it) || at == postponed_.end()
      || at->second < patient_turns
      || !options_.budget->reserve(options_.queue, costs_->of(job->type)))
    return false;
  if (std::exchange(kept_for_, job->id) != job->id)
    log::info("a job waits for as much as it needs to come free",
              {{"job", job->id}, {"queue", options_.queue}});
  return true;
}

void manager_state::keep_no_more() {
  if (kept_for_.empty()
      || (!line_.empty() && line_.front().job->id == kept_for_))
    return;
  options_.budget->forgo(options_.queue);
  kept_for_.clear();
}

void manager_state::give_up_line() {
  for (const auto& [job, since] : std::exchange(line_, {}))
    if (auto* it = find(job->id, job->fence); it && is_in_line(*it))
      release(job->id, *it, store::release_reason::drain);
  keep_no_more();
}

void manager_state::learn(const std::string& type,
                          const media::attempt_usage& used) {
  costs_->note(type, used);
  if (!options_.metrics || used == media::attempt_usage{})
    return;
  const auto& now = costs_->of(type);
  options_.metrics->job_cost(type, "cpu", now.cpu);
  options_.metrics->job_cost(type, "memory", static_cast<double>(now.memory));
  options_.metrics->job_cost(type, "disk", static_cast<double>(now.disk));
  options_.metrics->job_cost(type, "bandwidth",
                             static_cast<double>(now.bandwidth));
}

} // namespace troupe::actors
