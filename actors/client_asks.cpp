#include "actors/client_snapshot.hpp"
#include "actors/client_state.hpp"
#include "actors/event_json.hpp"
#include "actors/job_log.hpp"
#include "actors/store/batch_json.hpp"
#include "actors/topic.hpp"

#include <utility>

/// How a client gets the snapshots of its topics.
namespace troupe::actors {

using namespace std::chrono_literals;

namespace {

/// Asks of one client under way.
constexpr std::size_t max_asking = 8;
/// While there is no queue, or others are owed too many answers.
constexpr auto ask_pause = 100ms;

} // namespace

template <class Handle, class Request>
void client_state::ask(const Handle& whom, subscription& of, Request request) {
  ++of.parts_due;
  ++asking_;
  using reply_type = decltype(request.reply);
  // The queue may answer late; it must not keep this actor alive.
  auto arrive = [self = caf::actor_cast<caf::weak_actor_ptr>(self_),
                 topic = of.start.topic, serial = of.serial](auto outcome) {
    const auto strong = self.lock();
    if (!strong)
      return;
    client_snapshot snapshot{topic, serial, failure{}};
    if (outcome)
      snapshot.part = std::move(*outcome);
    else
      snapshot.part = std::move(outcome.error());
    caf::anon_send(caf::actor_cast<client_actor>(strong), std::move(snapshot));
  };
  request.reply = reply_type{std::move(arrive), parts_.door->owed()};
  if (whom)
    self_->send(whom, std::move(request));
}

template <class Request>
void client_state::ask_queue(subscription& of, Request request) {
  ask(parts_.door->queue(), of, std::move(request));
}

void client_state::ask_snapshot(subscription& of) {
  const auto topic = parse_topic(of.start.topic);
  switch (topic->kind) {
  case topic_kind::job:
    ask_queue(of, get_request{std::string{topic->subject}, {}});
    return;
  case topic_kind::jobs: {
    list_request running;
    running.query.state = store::job_state::running;
    running.query.page_size = snapshot_jobs;
    ask_queue(of, depths_request{});
    ask_queue(of, std::move(running));
    return;
  }
  case topic_kind::queue:
    ask_queue(of, queues_request{});
    return;
  case topic_kind::batch:
    ask_queue(of, batch_request{std::string{topic->subject}, {}});
    return;
  case topic_kind::nodes:
  case topic_kind::alerts:
    if (const auto monitor = parts_.door->monitor())
      return ask(monitor, of, nodes_request{});
    return go_live(of);
  default:
    go_live(of);
  }
}

/// What leaves at once is not told of later.
bool client_state::takes_snapshots() {
  const auto full = [this] {
    return in_flight_ + waiting_.snapshot_bytes() >= window_;
  };
  if (full())
    pump();
  return !full();
}

/// As many as may be under way; the others when answers have come, and left.
void client_state::ask_snapshots() {
  while (!to_ask_.empty() && asking_ < max_asking && takes_snapshots()) {
    const auto& [topic, serial] = to_ask_.front();
    const auto found = topics_.find(topic);
    if (found != topics_.end() && found->second.serial == serial) {
      if (!parts_.door->queue() || parts_.door->is_full())
        return wait_to_ask();
      ask_snapshot(found->second);
    }
    to_ask_.pop_front();
  }
  next_wish();
}

void client_state::wait_to_ask() {
  if (!std::exchange(waits_to_ask_, true))
    self_->delayed_send(self_, ask_pause, client_ask_again{});
}

void client_state::ask_again() {
  waits_to_ask_ = false;
  ask_snapshots();
  pump();
}

void client_state::on_snapshot(client_snapshot& snapshot) {
  --asking_;
  take_snapshot(snapshot);
  ask_snapshots();
  pump();
}

void client_state::take_snapshot(client_snapshot& snapshot) {
  const auto found = topics_.find(snapshot.topic);
  if (found == topics_.end() || found->second.serial != snapshot.serial)
    return;
  if (snapshot.part)
    take(found->second, snapshot);
  else
    refuse(snapshot.topic, snapshot.part.error());
}

void client_state::take(subscription& of, client_snapshot& snapshot) {
  auto& part = *snapshot.part;
  if (auto* job = std::get_if<store::job>(&part))
    of.job = std::move(*job);
  else if (auto* depths = std::get_if<std::vector<store::queue_depth>>(&part))
    of.depths = std::move(*depths);
  else if (const auto* batch = std::get_if<store::batch>(&part))
    store::append_json(of.text, *batch, wall_clock());
  else if (auto* queues = std::get_if<std::vector<store::queue_info>>(&part))
    of.text = queue_snapshot(parse_topic(of.start.topic)->subject, *queues);
  else if (const auto* nodes = std::get_if<nodes_reply>(&part))
    of.text = parse_topic(of.start.topic)->kind == topic_kind::nodes
                ? nodes_json(*nodes)
                : alerts_json(*nodes);
  else
    of.running = std::move(std::get<store::job_page>(part));
  if (--of.parts_due == 0)
    go_live(of);
}

void client_state::refuse(const std::string& topic, const failure& why) {
  const bool unknown = why.code == make_error_code(store::errc::not_found);
  push(error_frame(topics_.at(topic).id,
                   unknown ? "not_found" : "store_unavailable", why.message(),
                   topic));
  leave({topic});
}

} // namespace troupe::actors
