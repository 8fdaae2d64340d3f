#include "actors/monitor.hpp"

#include "actors/job_log.hpp"
#include "actors/topic.hpp"
#include "config/log.hpp"
#include "config/metrics.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace troupe::actors {

namespace {

const store::queue_depth* find_depth(const std::vector<store::queue_depth>& all,
                                     const std::string& queue) {
  const auto at = std::ranges::find(all, queue, &store::queue_depth::queue);
  return at == all.end() ? nullptr : &*at;
}

} // namespace

void monitor_state::start(monitor_options options) {
  options_ = std::move(options);
  alerts_.emplace(options_.alerts, options_.node);
  self_->set_down_handler([this](const caf::down_msg& down) {
    std::erase_if(pools_, [&down](const auto& it) {
      return it.second.manager.address() == down.source;
    });
  });
  tick();
}

void monitor_state::hear(pool_report& report) {
  auto& it = pools_[report.pool.name];
  if (it.manager != report.manager) {
    it = {};
    it.manager = std::move(report.manager);
    self_->monitor(it.manager);
  }
  it.errors.note(self_->clock().now(), report.pool.ended, report.pool.failed);
  it.view = std::move(report.pool);
}

void monitor_state::rewire(wiring& now_is) {
  who_ = std::move(now_is);
  if (!who_.hub)
    joined_ = false; // the next one has not heard of us
  else if (!joined_)
    tell_hub();
}

void monitor_state::show(const nodes_request& request) const {
  request.reply(nodes_reply{{view()}, alerts_->raised()});
}

// -- looks --------------------------------------------------------------------

void monitor_state::tick() {
  if (looking_)
    conclude({});
  self_->delayed_send(self_, options_.every, monitor_tick{});
  host_ = options_.read();
  seen_at_ = wall_clock();
  if (options_.budget) {
    std::uint64_t free = UINT64_MAX;
    for (const auto& it : host_.disks) {
      const auto kept = static_cast<std::uint64_t>(static_cast<double>(it.size)
                                                   * options_.min_disk);
      free = std::min(free, it.free - std::min(it.free, kept));
    }
    if (!host_.disks.empty())
      options_.budget->set_disk(free);
  }
  ++look_;
  looking_ = true;
  ask_queue();
}

void monitor_state::ask_queue() {
  if (!who_.queue)
    return conclude({});
  // It may answer late, and must not keep this actor alive.
  auto arrive = [self = caf::actor_cast<caf::weak_actor_ptr>(self_),
                 look = look_](result<std::vector<store::queue_depth>> found) {
    const auto strong = self.lock();
    if (!strong)
      return;
    monitor_depths words{look, std::nullopt};
    if (found)
      words.depths = std::move(*found);
    caf::anon_send(caf::actor_cast<monitor_impl>(strong), std::move(words));
  };
  depths_request request{
    answer<std::vector<store::queue_depth>>{std::move(arrive)}};
  self_->send(who_.queue, std::move(request));
}

void monitor_state::end_look(monitor_depths& found) {
  if (found.look == look_ && looking_)
    conclude(found.depths.value_or(std::vector<store::queue_depth>{}));
}

void monitor_state::conclude(const std::vector<store::queue_depth>& depths) {
  looking_ = false;
  judge(depths);
  tell_pools(depths);
  tell_hub();
  set_metrics();
}

double monitor_state::least_disk() const {
  double least = 1;
  for (const auto& it : host_.disks)
    least = std::min(least, it.free_share());
  return least;
}

void monitor_state::tell_pools(const std::vector<store::queue_depth>& depths) {
  node_sample sample;
  sample.cpu = host_.cpu;
  sample.memory = host_.memory_share();
  sample.disk = least_disk();
  for (const auto& [queue, it] : pools_) {
    const auto* depth = find_depth(depths, queue);
    constexpr auto queued = static_cast<std::size_t>(store::job_state::queued);
    sample.queued = depth ? depth->by_state[queued] : 0;
    sample.oldest_age_s =
      depth ? static_cast<double>(depth->oldest_age_ms) / 1000 : 0;
    self_->send(it.manager, sample);
  }
}

// -- alerts -------------------------------------------------------------------

std::vector<alert_reading>
monitor_state::readings(const std::vector<store::queue_depth>& depths) const {
  std::vector<alert_reading> all;
  for (const auto& it : host_.disks)
    all.push_back({alert_kind::disk_low, it.name, it.free_share()});
  all.push_back({alert_kind::memory_low, "", host_.memory_share()});
  for (const auto& it : depths)
    all.push_back({alert_kind::queue_age, it.queue,
                   static_cast<double>(it.oldest_age_ms) / 1000});
  for (const auto& [queue, it] : pools_)
    all.push_back({alert_kind::error_rate, queue, it.errors.share()});
  if (options_.store_up)
    all.push_back(
      {alert_kind::store_away, "", options_.store_up() ? 0.0 : 1.0});
  return all;
}

void monitor_state::judge(const std::vector<store::queue_depth>& depths) {
  const auto changes =
    alerts_->judge(readings(depths), self_->clock().now(), seen_at_);
  event_batch events;
  for (const auto& [raised, about] : changes) {
    log::warn(raised ? "an alert is raised" : "an alert is cleared",
              {{"alert", about.id}, {"value", std::to_string(about.value)}});
    if (options_.metrics)
      options_.metrics->alert(to_string(about.kind), about.subject, raised);
    auto& it = events.subjects.emplace_back(event(
      raised ? job_event_type::alert_raised : job_event_type::alert_cleared));
    it.topic = topic_of(topic_kind::alerts, "");
    it.id = about.id;
    append_json(it.data, about);
  }
  if (who_.hub && !events.subjects.empty())
    self_->send(who_.hub, std::move(events));
}

// -- telling ------------------------------------------------------------------

subject_event monitor_state::event(job_event_type type) const {
  subject_event it;
  it.type = type;
  it.time = seen_at_;
  it.topic = topic_of(topic_kind::nodes, "");
  it.id = options_.node;
  return it;
}

void monitor_state::tell_hub() {
  if (!who_.hub)
    return;
  event_batch events;
  const auto now = view();
  if (!std::exchange(joined_, true)) {
    auto& it = events.subjects.emplace_back(event(job_event_type::node_joined));
    append_json(it.data, now);
  } else {
    auto& it = events.subjects.emplace_back(event(job_event_type::node_load));
    it.data = load_json(now);
  }
  self_->send(who_.hub, std::move(events));
}

void monitor_state::set_metrics() const {
  if (!options_.metrics)
    return;
  auto& to = *options_.metrics;
  const auto of = [&to](std::string_view what, auto used, auto total) {
    to.node_resource(what, static_cast<double>(used),
                     static_cast<double>(total));
  };
  of("cpu", host_.cpu * host_.cores, host_.cores);
  of("memory", host_.memory - host_.memory_available, host_.memory);
  for (const auto& it : host_.disks)
    of("disk_" + it.name, it.size - it.free, it.size);
  of("descriptors", host_.descriptors, host_.max_descriptors);
  of("sockets", host_.sockets, 0);
  of("children", host_.child_count, 0);
  of("children_memory", host_.child_memory, 0);
  to.node_pressure("load1", host_.load1);
  if (const auto& stalled = host_.pressure) {
    to.node_pressure("cpu", stalled->cpu);
    to.node_pressure("memory", stalled->memory);
    to.node_pressure("io", stalled->io);
  }
}

node_view monitor_state::view() const {
  node_view out;
  out.id = options_.node;
  out.name = options_.name;
  out.role = "head";
  out.draining = options_.draining && options_.draining();
  out.seen_at = seen_at_;
  out.host = host_;
  if (options_.budget) {
    out.budget = options_.budget->limits();
    out.in_use = options_.budget->in_use();
  }
  for (const auto& [queue, it] : pools_)
    out.pools.push_back(it.view);
  return out;
}

monitor_impl::behavior_type monitor(monitor_state::self_ptr self,
                                    monitor_options options) {
  auto& state = self->state;
  state.start(std::move(options));
  return {
    [&state](pool_report& x) { state.hear(x); },
    [&state](const nodes_request& x) { state.show(x); },
    [&state](wiring& x) { state.rewire(x); },
    [&state](monitor_tick) { state.tick(); },
    [&state](monitor_depths& x) { state.end_look(x); },
  };
}

} // namespace troupe::actors
