#include "actors/hub.hpp"

#include "actors/hub_state.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <random>
#include <utility>

namespace troupe::actors {

namespace {

using namespace std::chrono_literals;

/// What it takes to bring one publication to one client's socket, about.
constexpr auto cost_of_one = 4us;
/// Less is not worth a timer.
constexpr auto shortest_wait = 100us;
constexpr auto longest_gathering = 2ms;

std::string new_epoch() {
  std::random_device random;
  const auto bits = std::uint64_t{random()} << 32 | random();
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx",
                static_cast<unsigned long long>(bits));
  return text.data();
}

} // namespace

hub_state::hub_state(self_ptr self) : self_{self} {}

void hub_state::start(const config::event_settings& settings) {
  log_ = std::make_unique<event_log>(settings, new_epoch());
  self_->set_down_handler(
    [this](const caf::down_msg& down) { forget(down.source); });
}

moment hub_state::now() const {
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return {self_->clock().now(),
          std::chrono::duration_cast<std::chrono::milliseconds>(wall).count()};
}

void hub_state::add(event_batch& batch) {
  const auto at = now();
  for (const auto& event : batch.events)
    log_->add(event, at);
  for (auto& event : batch.subjects)
    log_->add(std::move(event), at);
  publish();
}

void hub_state::report(progress_report& report) {
  log_->report(std::move(report), now());
  publish();
}

void hub_state::tick(const hub_tick& tick) {
  armed_[static_cast<std::size_t>(tick.timer)] = false;
  log_->tick(now());
  publish();
}

/// While a publication to many is still on its way to their sockets, the next
/// would only stand in line behind it. So what happens meanwhile is gathered,
/// and leaves in one piece: one message and one write per client. For the same
/// reason the first of some events waits for those that follow at once, by a
/// fraction of the time that telling of it takes.
void hub_state::publish() {
  if (const auto audience = log_->fresh_audience(); audience > 0) {
    const auto time = self_->clock().now();
    if (!fresh_since_)
      fresh_since_ = time;
    const auto gather =
      std::min<clock::duration>(audience * cost_of_one / 4, longest_gathering);
    const auto due = std::max(busy_until_, *fresh_since_ + gather);
    if (due - time > shortest_wait)
      arm(hub_timer::publish, due);
    else
      publish_now();
  }
  arm();
}

void hub_state::publish_now() {
  fresh_since_.reset();
  std::size_t told = 0;
  for (auto& fresh : log_->take_fresh()) {
    const auto& listeners = listeners_[fresh.topic];
    const auto message = caf::make_message(std::move(fresh));
    for (const auto& client : listeners)
      client->enqueue(self_->ctrl(), caf::make_message_id(), message,
                      self_->context());
    told += listeners.size();
  }
  if (told > 0)
    busy_until_ = self_->clock().now() + told * cost_of_one;
}

void hub_state::arm() {
  if (const auto due = log_->progress_due())
    arm(hub_timer::progress, *due);
  if (const auto due = log_->end_due())
    arm(hub_timer::end, *due);
}

void hub_state::arm(hub_timer timer, clock::time_point due) {
  if (std::exchange(armed_[static_cast<std::size_t>(timer)], true))
    return;
  self_->delayed_send(self_, due - self_->clock().now(), hub_tick{timer});
}

// -- subscribers --------------------------------------------------------------

subscribe_reply hub_state::subscribe(const subscribe_request& request,
                                     const client_actor& client) {
  publish_now();
  const auto [known, fresh] = clients_.try_emplace(client.address());
  if (fresh)
    self_->monitor(client);
  subscribe_reply reply;
  for (const auto& wish : request.topics) {
    if (known->second.insert(wish.topic).second)
      listeners_[wish.topic].push_back(
        caf::actor_cast<caf::strong_actor_ptr>(client));
    else
      log_->unlisten(wish.topic, now());
    reply.starts.push_back(log_->listen(wish));
  }
  return reply;
}

void hub_state::unsubscribe(const unsubscribe_request& request,
                            const client_actor& client) {
  const auto known = clients_.find(client.address());
  if (known == clients_.end())
    return;
  publish_now();
  for (const auto& topic : request.topics)
    if (known->second.erase(topic) > 0)
      remove(topic, client.address());
  arm();
}

void hub_state::forget(const caf::actor_addr& client) {
  const auto gone = clients_.extract(client);
  if (gone.empty())
    return;
  publish_now();
  for (const auto& topic : gone.mapped())
    remove(topic, client);
  arm();
}

void hub_state::remove(const std::string& topic,
                       const caf::actor_addr& client) {
  const auto at = listeners_.find(topic);
  std::erase_if(at->second, [&client](const caf::strong_actor_ptr& listener) {
    return listener->address() == client;
  });
  if (at->second.empty())
    listeners_.erase(at);
  log_->unlisten(topic, now());
}

hub_figures hub_state::figures() const {
  auto figures = log_->figures();
  figures.clients = clients_.size();
  return figures;
}

// -- behaviour ----------------------------------------------------------------

namespace {

hub_actor::behavior_type hub(hub_state::self_ptr self,
                             const config::event_settings& settings) {
  auto& state = self->state;
  state.start(settings);
  return {
    [&state](event_batch& batch) { state.add(batch); },
    [&state](progress_report& report) { state.report(report); },
    [&state](const subscribe_request& request, const client_actor& client) {
      return state.subscribe(request, client);
    },
    [&state](const unsubscribe_request& request, const client_actor& client) {
      state.unsubscribe(request, client);
    },
    [&state](const figures_request& request) {
      request.reply(state.figures());
    },
    [&state](const hub_tick& tick) { state.tick(tick); },
  };
}

} // namespace

hub_actor spawn_hub(caf::actor_system& sys,
                    const config::event_settings& settings) {
  return sys.spawn(hub, settings);
}

} // namespace troupe::actors
