#include "actors/callbacks.hpp"

#include "config/log.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace troupe::actors {

using namespace std::chrono_literals;

namespace {

/// Posts under way at once.
constexpr std::uint32_t max_posts = 64;
/// Asks so often without being told, for what others could not deliver.
constexpr auto look_every = 5000ms;

media::callback_post post_of(store::callback& due) {
  return {std::move(due.url), due.id, std::move(due.type),
          std::move(due.payload)};
}

std::string reason_of(const media::callback_answer& said) {
  return said.status == 0
           ? said.error
           : "the receiver answered " + std::to_string(said.status);
}

} // namespace

void callback_relay::answer(callback_answered said) {
  std::unique_lock lock{mutex_};
  if (!actor_)
    return;
  const auto to = actor_;
  lock.unlock();
  caf::anon_send(to, std::move(said));
}

void callback_relay::close() {
  const std::lock_guard lock{mutex_};
  actor_ = nullptr;
}

callback_state::~callback_state() {
  if (relay_)
    relay_->close();
}

void callback_state::start(callback_options options) {
  options_ = std::move(options);
  relay_ =
    std::make_shared<callback_relay>(caf::actor_cast<callback_impl>(self_));
}

void callback_state::rewire(wiring& now_is) {
  if (now_is.queue == queue_)
    return;
  queue_ = std::move(now_is.queue);
  asking_ = false;
  wake();
}

void callback_state::wake() {
  more_ = true;
  ask();
}

void callback_state::arm(clock::duration after) {
  const auto due = self_->clock().now() + after;
  if (newest_tick_ > 0 && due_ > self_->clock().now() && due_ <= due)
    return;
  due_ = due;
  self_->delayed_send(self_, after, callback_tick{++newest_tick_});
}

void callback_state::tick(callback_tick now) {
  if (now.number != newest_tick_)
    return;
  due_ = {};
  forget_silent();
  wake();
}

/// A post that nobody hears of, such as one of a sender that is gone.
void callback_state::forget_silent() {
  const auto oldest = self_->clock().now() - options_.limit;
  std::erase_if(under_way_,
                [&](const auto& each) { return each.second.since < oldest; });
}

void callback_state::ask() {
  const auto busy = static_cast<std::uint32_t>(under_way_.size());
  if (asking_ || !more_ || !queue_ || busy >= max_posts)
    return;
  asking_ = true;
  more_ = false;
  // A dead queue answers with an error; a new one is asked by `rewire`.
  self_->request(queue_, caf::infinite, take_callbacks{max_posts - busy})
    .then(
      [this](callback_batch& batch) {
        asking_ = false;
        take(std::move(batch.due));
      },
      [](const caf::error&) {});
}

void callback_state::take(std::vector<store::callback> due) {
  more_ = more_ || !due.empty();
  for (auto& it : due) {
    under_way_[it.id] = {it.token, it.attempts, self_->clock().now()};
    auto heard = [relay = relay_, id = it.id,
                  token = it.token](media::callback_answer said) {
      relay->answer({id, token, std::move(said)});
    };
    options_.post(post_of(it), std::move(heard));
  }
  arm(look_every);
  ask();
}

store::callback_settlement
callback_state::judge(const posted& it, const callback_answered& said) {
  store::callback_settlement out;
  out.id = said.id;
  out.token = said.token;
  const auto verdict = media::verdict_on(said.said);
  if (verdict == media::callback_verdict::delivered)
    return out;
  const auto tries = it.attempts + 1;
  out.error = reason_of(said.said);
  if (verdict == media::callback_verdict::never
      || tries >= options_.max_attempts) {
    out.outcome = store::callback_outcome::dead;
    log::warn("a callback is given up",
              {{"event", said.id}, {"error", out.error}});
    return out;
  }
  const auto chance = std::uniform_real_distribution{0.0, 1.0}(random_);
  const auto wait =
    media::callback_wait(tries, said.said.retry_after_s, chance);
  out.outcome = store::callback_outcome::retry;
  out.retry_after_ms = wait.count();
  arm(wait + 10ms);
  return out;
}

void callback_state::hear(callback_answered& said) {
  const auto at = under_way_.find(said.id);
  if (at == under_way_.end() || at->second.token != said.token)
    return;
  const auto it = at->second;
  under_way_.erase(at);
  auto done = judge(it, said);
  if (queue_)
    self_->send(queue_, std::move(done));
  ask();
}

callback_impl::behavior_type callbacks(callback_state::self_ptr self,
                                       callback_options options) {
  auto& state = self->state;
  state.start(std::move(options));
  return {
    [&state](callbacks_due) { state.wake(); },
    [&state](wiring& x) { state.rewire(x); },
    [&state](callback_answered& x) { state.hear(x); },
    [&state](callback_tick x) { state.tick(x); },
  };
}

} // namespace troupe::actors
