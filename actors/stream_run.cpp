#include "actors/stream_run.hpp"

#include "media/stream/service.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace troupe::actors {

void run_state_machine::start(run_options options) {
  options_ = std::move(options);
  next_ = options_.first;
  goal_ = std::max(options_.goal, next_);
  child_ = std::make_unique<maker_child>(options_.parts,
                                         media::child_rank::waited_for);
  // Nobody starts a run at what is there.
  phase_ = phase::waits;
  tell(run_state::kind::waits);
}

segment_work run_state_machine::work() const {
  return {options_.line->segment_key(next_), options_.line->source,
          options_.line, next_};
}

void run_state_machine::tell(run_state::kind what) {
  self_->send(options_.registry, run_state{options_.number, what, next_});
}

void run_state_machine::aim(run_goal goal) {
  goal_ = std::max(goal_, goal.number);
  if (phase_ == phase::paused)
    step();
}

/// After a segment, or a pause.
void run_state_machine::step() {
  ++timer_;
  if (next_ >= options_.line->segments())
    return finish();
  if (next_ > goal_) {
    phase_ = phase::paused;
    tell(run_state::kind::paused);
    self_->delayed_send(self_, options_.idle, maker_idle{timer_});
    return;
  }
  phase_ = phase::looking;
  options_.parts.streams->look_up(
    options_.line->segment_key(next_),
    [self = caf::actor_cast<run_impl>(self_),
     number = next_](const media::cached_ptr& there) {
      caf::anon_send(self, run_found{number, there != nullptr});
    });
}

void run_state_machine::found(run_found look) {
  if (phase_ != phase::looking || look.number != next_)
    return;
  if (look.found)
    return finish();
  phase_ = phase::waits;
  tell(run_state::kind::waits);
}

void run_state_machine::go() {
  if (phase_ != phase::waits)
    return;
  phase_ = phase::working;
  child_->begin(work(), [self = caf::actor_cast<run_impl>(self_)](auto end) {
    caf::anon_send(self, maker_over{std::move(end)});
  });
}

void run_state_machine::end(const maker_over& over) {
  if (phase_ != phase::working)
    return;
  auto outcome = child_->settle(*over.end);
  if (!outcome)
    return;
  const bool made = outcome->has_value();
  const auto key = options_.line->segment_key(next_);
  self_->send(options_.registry,
              maker_report{options_.number, key, next_, std::move(*outcome)});
  if (!made)
    return finish();
  ++next_;
  step();
}

void run_state_machine::idle(maker_idle timer) {
  if (timer.number == timer_ && phase_ == phase::paused)
    finish();
}

void run_state_machine::finish() {
  phase_ = phase::ended;
  tell(run_state::kind::ended);
  self_->quit();
}

run_impl::behavior_type run(run_state_machine::self_ptr self,
                            run_options options) {
  auto& state = self->state;
  state.start(std::move(options));
  return {
    [&state](run_goal x) { state.aim(x); },
    [&state](run_go) { state.go(); },
    [&state](run_found x) { state.found(x); },
    [&state](const maker_over& x) { state.end(x); },
    [&state](maker_idle x) { state.idle(x); },
  };
}

} // namespace troupe::actors
