#include "actors/stage.hpp"

#include <caf/send.hpp>

#include <utility>

namespace troupe::actors {

using namespace std::chrono_literals;

namespace {

constexpr auto tick_every = 250ms;

} // namespace

stage_state::~stage_state() {
  for (auto& [addr, it] : hosted_)
    caf::anon_send_exit(it.actor, caf::exit_reason::kill);
}

void stage_state::start(std::shared_ptr<const job_bench> bench) {
  bench_ = std::move(bench);
  self_->set_down_handler(
    [this](const caf::down_msg& down) { on_down(down.source); });
}

void stage_state::place(place_order& order) {
  if (managers_.insert(order.manager.address()).second)
    self_->monitor(order.manager);
  spawned news;
  news.jobs.reserve(order.jobs.size());
  for (const auto& job : order.jobs)
    host(job, order, news);
  self_->send(order.manager, std::move(news));
  arm();
}

void stage_state::host(const job_ref& job, const place_order& order,
                       spawned& news) {
  auto deadline = std::chrono::steady_clock::time_point::max();
  if (job->timeout_s > 0 && !order.publish_only)
    deadline = self_->clock().now()
               + std::chrono::milliseconds{
                 static_cast<std::int64_t>(job->timeout_s * 1000)};
  auto& fresh = news.jobs.emplace_back(spawned_job{job->id, job->fence, {}});
  fresh.actor =
    self_->spawn(run_job, bench_, job, order.publish_only, order.manager);
  self_->monitor(fresh.actor);
  hosted_.emplace(fresh.actor.address(),
                  guest{fresh.actor, order.manager.address(), deadline});
}

void stage_state::discard(discard_files& order) {
  bench_->on_file_thread([bench = bench_, ids = std::move(order.ids)] {
    for (const auto& id : ids)
      bench->discard_job(id);
  });
}

void stage_state::arm() {
  if (!hosted_.empty() && !std::exchange(armed_, true))
    self_->delayed_send(self_, tick_every, stage_tick{});
}

void stage_state::tick() {
  armed_ = false;
  const auto now = self_->clock().now();
  for (auto& [addr, it] : hosted_)
    if (it.deadline <= now && !std::exchange(it.told, true))
      self_->send(it.actor, stop_attempt{media::errc::timeout});
  arm();
}

void stage_state::on_down(const caf::actor_addr& dead) {
  if (hosted_.erase(dead) > 0 || managers_.erase(dead) == 0)
    return;
  for (auto& [addr, it] : hosted_)
    if (it.manager == dead)
      self_->send_exit(it.actor, caf::exit_reason::kill);
}

stage_impl::behavior_type stage(stage_state::self_ptr self,
                                std::shared_ptr<const job_bench> bench) {
  auto& state = self->state;
  state.start(std::move(bench));
  return {
    [&state](place_order& x) { state.place(x); },
    [&state](discard_files& x) { state.discard(x); },
    [&state](stage_tick) { state.tick(); },
  };
}

} // namespace troupe::actors
