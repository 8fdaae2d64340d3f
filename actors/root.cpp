#include "actors/root.hpp"

#include "config/log.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace troupe::actors {

using namespace std::chrono_literals;

namespace {

constexpr auto first_respawn = 100ms;

} // namespace

// -- children -----------------------------------------------------------------

template <class Handle>
void root_state::add_child(std::string child_name, Handle& slot,
                           std::function<Handle()> make) {
  child fresh;
  fresh.name = std::move(child_name);
  fresh.make = [this, &slot, make = std::move(make)] {
    slot = make();
    self_->monitor(slot);
    return slot.address();
  };
  fresh.forget = [&slot] {
    slot = nullptr;
  };
  children_.push_back(std::move(fresh));
}

/// A root that dies of a defect takes all the others along.
root_state::~root_state() {
  if (ended_)
    return;
  log::error("the root has died");
  const auto kill = [](const auto& it) {
    if (it)
      caf::anon_send_exit(it, caf::exit_reason::kill);
  };
  kill(who_.hub);
  kill(who_.stage);
  kill(who_.queue);
  kill(extract_);
  kill(crew_);
  kill(streams_);
  kill(who_.callbacks);
  kill(renewer_);
  kill(who_.monitor);
  std::ranges::for_each(managers_, kill);
  options_.on_change({});
  options_.on_end(1);
}

void root_state::start(root_options options) {
  options_ = std::move(options);
  self_->set_down_handler([this](const caf::down_msg& down) { on_down(down); });
  self_->set_exit_handler([this](const caf::exit_msg&) { end(status_); });
  add_child<hub_actor>("hub", who_.hub, options_.make_hub);
  add_child<stage_actor>("stage", who_.stage, options_.make_stage);
  add_child<extract_actor>("extract", extract_, options_.make_extract);
  if (options_.make_crew)
    add_child<crew_actor>("image crew", crew_, options_.make_crew);
  if (options_.make_streams)
    add_child<stream_actor>("streams", streams_, options_.make_streams);
  if (options_.make_renewer)
    add_child<renewer_actor>("renewer", renewer_, options_.make_renewer);
  add_child<queue_actor>("queue", who_.queue, [this, first = true]() mutable {
    return options_.make_queue(std::exchange(first, false));
  });
  if (options_.make_callbacks)
    add_child<callback_actor>("callbacks", who_.callbacks,
                              options_.make_callbacks);
  if (options_.make_monitor)
    add_child<monitor_actor>("monitor", who_.monitor, options_.make_monitor);
  managers_.resize(options_.make_managers.size());
  for (std::size_t i = 0; i < managers_.size(); ++i)
    add_child<manager_actor>("manager " + std::to_string(i), managers_[i],
                             options_.make_managers[i]);
  for (auto& it : children_)
    launch(it);
  spread();
}

void root_state::launch(child& which) {
  which.addr = which.make();
}

/// Tells everybody who is who.
void root_state::spread() {
  if (who_.queue)
    self_->send(who_.queue, who_);
  if (who_.callbacks)
    self_->send(who_.callbacks, who_);
  if (renewer_)
    self_->send(renewer_, who_);
  if (who_.monitor)
    self_->send(who_.monitor, who_);
  for (const auto& manager : managers_)
    if (manager)
      self_->send(manager, who_);
  options_.on_change(
    {who_.queue, who_.hub, extract_, who_.monitor, crew_, streams_});
}

void root_state::restart(restart_child which) {
  auto& it = children_[which.index];
  if (phase_ != phase::running || it.addr)
    return;
  launch(it);
  spread();
  if (retired_)
    end_work();
}

// -- deaths -------------------------------------------------------------------

void root_state::on_down(const caf::down_msg& down) {
  const auto dead = std::ranges::find(children_, down.source, &child::addr);
  if (dead == children_.end())
    return;
  dead->addr = nullptr;
  dead->forget();
  if (phase_ == phase::running)
    mourn(static_cast<std::size_t>(dead - children_.begin()), down.reason);
  else
    end_if_alone();
}

void root_state::mourn(std::size_t index, const caf::error& why) {
  auto& it = children_[index];
  const auto now = self_->clock().now();
  it.deaths.push_back(now);
  while (it.deaths.front() < now - options_.window)
    it.deaths.pop_front();
  log::error("an actor has died",
             {{"actor", it.name}, {"error", self_->system().render(why)}});
  if (it.deaths.size() > options_.max_deaths) {
    log::error("it has died too often, giving up", {{"actor", it.name}});
    return end(1);
  }
  spread();
  self_->delayed_send(self_, first_respawn * (1 << (it.deaths.size() - 1)),
                      restart_child{index});
}

// -- the end ------------------------------------------------------------------

void root_state::retire() {
  if (phase_ != phase::running || std::exchange(retired_, true))
    return;
  log::info("taking no new work");
  end_work();
}

/// Nobody waits for the end of what runs: managers keep its limits.
void root_state::end_work() {
  if (who_.queue)
    caf::anon_send(who_.queue, drain_request{});
  for (const auto& manager : managers_)
    if (manager)
      caf::anon_send(manager, drain_request{});
}

/// Queue first, so that nothing new begins; then what runs.
void root_state::drain() {
  if (phase_ != phase::running)
    return;
  phase_ = phase::draining;
  log::info("draining");
  if (!who_.queue)
    return drain_managers();
  // Answered at once, or by the queue's death.
  self_->request(who_.queue, caf::infinite, drain_request{})
    .then([this](drained) { drain_managers(); },
          [this](const caf::error&) { drain_managers(); });
}

void root_state::drain_managers() {
  undrained_ = 1;
  for (const auto& manager : managers_) {
    if (!manager)
      continue;
    ++undrained_;
    // Its own timers end the wait; a dead one is answered for.
    self_->request(manager, caf::infinite, drain_request{})
      .then([this](drained) { manager_drained(); },
            [this](const caf::error&) { manager_drained(); });
  }
  manager_drained();
}

void root_state::manager_drained() {
  if (--undrained_ == 0 && phase_ == phase::draining)
    end(status_);
}

template <class Handle>
void root_state::dismiss(const Handle& whom) {
  if (whom)
    self_->send_exit(whom, caf::exit_reason::user_shutdown);
}

/// All but the queue, which goes last and stores what the others left.
void root_state::end(int status) {
  if (std::exchange(phase_, phase::ending) == phase::ending)
    return;
  status_ = status;
  options_.on_change({});
  dismiss(who_.hub);
  dismiss(extract_);
  dismiss(crew_);
  dismiss(streams_);
  dismiss(who_.callbacks);
  dismiss(who_.stage);
  dismiss(renewer_);
  dismiss(who_.monitor);
  for (const auto& manager : managers_)
    dismiss(manager);
  end_if_alone();
}

void root_state::end_if_alone() {
  if (phase_ != phase::ending)
    return;
  const auto alive = std::ranges::count_if(
    children_, [](const child& it) { return static_cast<bool>(it.addr); });
  if (alive > 1 || (alive == 1 && !who_.queue))
    return;
  if (who_.queue)
    return dismiss(who_.queue);
  ended_ = true;
  options_.on_end(status_);
  self_->quit();
}

root_impl::behavior_type root(root_state::self_ptr self, root_options options) {
  auto& state = self->state;
  state.start(std::move(options));
  return {
    [&state](drain_request) { state.drain(); },
    [&state](retire_request) { state.retire(); },
    [&state](restart_child x) { state.restart(x); },
  };
}

} // namespace troupe::actors
