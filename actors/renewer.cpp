#include "actors/renewer.hpp"

#include "config/fault_points.hpp"
#include "config/log.hpp"

#include <algorithm>
#include <utility>

namespace troupe::actors {

using namespace std::chrono_literals;

namespace {

constexpr auto first_pause = 50ms;
constexpr auto max_pause = 500ms;
/// Between two counts of who was heard of.
constexpr auto count_every = 1000ms;

} // namespace

void renewer_state::start(renewer_options options) {
  options_ = std::move(options);
  renew_at_ = now();
  self_->send(self_, renewer_tick{});
}

void renewer_state::rewire(wiring& now_is) {
  queue_ = std::move(now_is.queue);
}

renewer_state::clock::time_point renewer_state::now() const {
  return self_->clock().now();
}

void renewer_state::tick() {
  clock::duration wait = std::chrono::milliseconds{options_.lease_ms / 3};
  wait = std::min<clock::duration>(wait, count_every);
  if (options_.look_every > 0ms)
    wait = std::min<clock::duration>(wait, options_.look_every);
  // A look between must not put a renewal off: gaps stop every expiry.
  if (!away_ && renew_at_ > now())
    wait = std::min<clock::duration>(wait, renew_at_ - now());
  if (auto done = look_after(); !done) {
    fail_once(done.error());
    // Jitter: servers that lost the same store do not come back as one.
    std::uniform_real_distribution<double> spread{0.5, 1};
    wait =
      std::chrono::duration_cast<clock::duration>(pause_ * spread(random_));
  }
  self_->delayed_send(self_, wait, renewer_tick{});
}

result<void> renewer_state::look_after() {
  if (!store_) {
    auto opened = options_.open();
    if (!opened)
      return opened.error();
    store_ = std::move(*opened);
  }
  const bool renewing = away_ || now() >= renew_at_;
  renewal_report news;
  if (auto done = ask_store(renewing, news); !done)
    return done;
  if (renewing)
    renew_at_ = now() + std::chrono::milliseconds{options_.lease_ms / 3};
  pause_ = {};
  news.store_came_back = std::exchange(away_, false);
  report(std::move(news));
  return {};
}

result<void> renewer_state::ask_store(bool renewing, renewal_report& news) {
  auto all = options_.board->count(now());
  for (auto& it : all.stalled)
    news.findings.push_back({std::move(it), store::errc::none, true});
  if (!renewing && options_.look_every == 0ms)
    return {};
  auto verdicts = renewing ? store_->renew(all.alive, options_.lease_ms)
                           : store_->look(all.alive);
  if (renewing)
    TROUPE_FAULT_POINT(renewed);
  if (!verdicts) {
    report(std::move(news));
    return verdicts.error();
  }
  for (std::size_t i = 0; i < all.alive.size(); ++i)
    if ((*verdicts)[i] != store::errc::none)
      news.findings.push_back({std::move(all.alive[i]), (*verdicts)[i], false});
  return {};
}

void renewer_state::fail_once(const failure& why) {
  pause_ = std::clamp<clock::duration>(pause_ * 2, first_pause, max_pause);
  if (std::exchange(away_, true))
    return;
  log::warn("leases cannot be renewed", {{"error", why.message()}});
  // A database beside us is busy or full at most: the queue knows better.
  if (options_.look_every == 0ms || why.code != store::errc::unavailable)
    return;
  renewal_report news;
  news.store_is_away = true;
  report(std::move(news));
}

void renewer_state::report(renewal_report news) {
  if (queue_
      && (news.store_is_away || news.store_came_back || !news.findings.empty()))
    self_->send(queue_, std::move(news));
}

renewer_impl::behavior_type renewer(renewer_state::self_ptr self,
                                    renewer_options options) {
  auto& state = self->state;
  state.start(std::move(options));
  return {
    [&state](wiring& x) { state.rewire(x); },
    [&state](renewer_tick) { state.tick(); },
  };
}

} // namespace troupe::actors
