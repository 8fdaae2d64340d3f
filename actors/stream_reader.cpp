#include "actors/stream_reader.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace troupe::actors {

void reader_state::start(reader_options options) {
  options_ = std::move(options);
  child_ = std::make_unique<maker_child>(options_.parts,
                                         media::child_rank::waited_for);
  next();
}

void reader_state::add(maker_task task) {
  waiting_.push_back(std::move(task));
  next();
}

/// What somebody waits for goes first, by its deadline.
void reader_state::next() {
  if (child_->is_busy())
    return;
  if (waiting_.empty()) {
    self_->delayed_send(self_, options_.idle, maker_idle{++timer_});
    return;
  }
  ++timer_;
  const auto first =
    std::ranges::min_element(waiting_, {}, &maker_task::deadline);
  auto task = std::move(*first);
  waiting_.erase(first);
  child_->begin(std::move(task.work),
                [self = caf::actor_cast<reader_impl>(self_)](auto end) {
                  caf::anon_send(self, maker_over{std::move(end)});
                });
}

void reader_state::end(const maker_over& over) {
  if (!child_->is_busy())
    return;
  const auto work = child_->work();
  auto outcome = child_->settle(*over.end);
  if (!outcome)
    return;
  self_->send(
    options_.registry,
    maker_report{options_.number, work.key, work.number, std::move(*outcome)});
  next();
}

void reader_state::idle(maker_idle timer) {
  if (timer.number == timer_ && !child_->is_busy() && waiting_.empty())
    self_->quit();
}

reader_impl::behavior_type reader(reader_state::self_ptr self,
                                  reader_options options) {
  auto& state = self->state;
  state.start(std::move(options));
  return {
    [&state](maker_task& x) { state.add(std::move(x)); },
    [&state](const maker_over& x) { state.end(x); },
    [&state](maker_idle x) { state.idle(x); },
  };
}

} // namespace troupe::actors
