#include "actors/client.hpp"

#include "actors/client_snapshot.hpp"
#include "actors/client_state.hpp"
#include "actors/event_json.hpp"
#include "actors/job_log.hpp"
#include "actors/store/batch_json.hpp"
#include "actors/topic.hpp"

#include <algorithm>
#include <utility>

namespace troupe::actors {

client_state::client_state(self_ptr self) : self_{self} {}

void client_state::start(client_parts parts) {
  parts_ = std::move(parts);
  window_ = std::clamp<std::size_t>(parts_.settings.client_bytes / 4,
                                    2 * client_port::credit_step, 512 * 1024);
  self_->set_down_handler([this](const caf::down_msg& down) {
    if (down.reason == caf::exit_reason::user_shutdown)
      end(close_code::going_away, "the server stops");
    else
      end(close_code::internal_error, "events start anew");
  });
  self_->monitor(parts_.hub);
}

// -- subscribing --------------------------------------------------------------

std::string_view client_state::refusal(const std::string& topic) const {
  if (!parse_topic(topic))
    return "no topic can have this name";
  if (topics_.size() >= client_port::max_topics && !topics_.contains(topic))
    return "one connection can hold 1024 topics";
  return {};
}

void client_state::subscribe(client_subscribe& wish) {
  wishes_.emplace_back(std::move(wish));
  next_wish();
}

void client_state::unsubscribe(client_unsubscribe& wish) {
  wishes_.emplace_back(std::move(wish));
  next_wish();
}

/// One after the other: what waits here holds up its connection.
void client_state::next_wish() {
  while (!starting_ && to_ask_.empty() && !wishes_.empty()) {
    auto wish = std::move(wishes_.front());
    wishes_.pop_front();
    std::visit([this](auto& it) { begin(it); }, wish);
  }
}

void client_state::begin(client_subscribe& wish) {
  *parts_.wished -= wish.topics.size();
  subscribe_request request;
  std::vector<std::uint64_t> serials;
  for (auto& topic : wish.topics) {
    if (const auto why = refusal(topic.topic); !why.empty()) {
      push(error_frame(wish.id, "invalid_params", why, topic.topic));
      continue;
    }
    auto& made = topics_[topic.topic];
    held_ -= made.held.bytes();
    made = subscription{};
    made.id = wish.id;
    made.serial = ++serial_;
    serials.push_back(made.serial);
    request.topics.push_back(std::move(topic));
  }
  starting_ = !serials.empty();
  if (starting_)
    self_
      ->request(parts_.hub, caf::infinite, std::move(request),
                caf::actor_cast<client_actor>(self_))
      .then(
        [this, serials](subscribe_reply& reply) { on_starts(reply, serials); },
        [](const caf::error&) {
          // The hub's DOWN ends this actor.
        });
  pump();
}

void client_state::on_starts(subscribe_reply& reply,
                             const std::vector<std::uint64_t>& serials) {
  for (std::size_t i = 0; i < serials.size(); ++i) {
    const auto found = topics_.find(reply.starts[i].topic);
    if (found == topics_.end() || found->second.serial != serials[i])
      continue;
    found->second.started = true;
    found->second.start = std::move(reply.starts[i]);
    to_ask_.emplace_back(found->first, found->second.serial);
  }
  starting_ = false;
  ask_snapshots();
  pump();
}

void client_state::go_live(subscription& of) {
  const auto topic = *parse_topic(of.start.topic);
  std::string snapshot = "null";
  if (of.job)
    snapshot = data_of(*of.job);
  else if (topic.kind == topic_kind::jobs)
    snapshot =
      jobs_snapshot(of.depths, of.running, parts_.settings.client_bytes / 4);
  else if (!of.text.empty())
    snapshot = std::move(of.text);
  push(subscribed_frame(of.id, of.start, snapshot));
  for (auto& missed : std::exchange(of.start.missed, {}))
    push(std::move(missed));
  held_ -= of.held.bytes();
  while (auto frame = of.held.pop())
    push(std::move(frame));
  of.live = true;
  of.job.reset();
  of.depths.clear();
  of.running = {};
}

// -- leaving ------------------------------------------------------------------

void client_state::begin(client_unsubscribe& wish) {
  for (const auto& topic : wish.topics)
    push(unsubscribed_frame(wish.id, topic));
  leave(wish.topics);
  pump();
}

void client_state::leave(std::vector<std::string> topics) {
  for (const auto& topic : topics) {
    const auto found = topics_.find(topic);
    if (found == topics_.end())
      continue;
    held_ -= found->second.held.bytes();
    topics_.erase(found);
  }
  self_->send(parts_.hub, unsubscribe_request{std::move(topics)},
              caf::actor_cast<client_actor>(self_));
}

void client_state::end(close_code code, const std::string& why) {
  if (std::exchange(ended_, true))
    return;
  parts_.sink->close(code, why);
  self_->quit();
}

// -- frames on their way ------------------------------------------------------

void client_state::on_events(const topic_events& events) {
  const auto found = topics_.find(events.topic);
  // What comes before the hub's answer belongs to an earlier subscription.
  if (found == topics_.end() || !found->second.started)
    return;
  for (const auto& frame : events.frames) {
    if (found->second.live)
      push(frame);
    else
      hold(found->second, frame);
  }
  pump();
}

void client_state::hold(subscription& of, const frame_ptr& frame) {
  held_ -= of.held.bytes();
  of.held.push(frame);
  held_ += of.held.bytes();
}

void client_state::push(frame_ptr frame) {
  waiting_.push(std::move(frame));
}

void client_state::on_sent(const client_sent& sent) {
  in_flight_ -= std::min(sent.bytes, in_flight_);
  ask_snapshots();
  pump();
}

/// Goes on as long as frames leave at once: nobody tells of those later.
void client_state::pump() {
  for (std::size_t gone = 1; gone > 0 && !ended_;) {
    std::vector<frame_ptr> out;
    while (in_flight_ < window_) {
      auto next = waiting_.pop();
      if (!next)
        break;
      in_flight_ += next->text.size();
      out.push_back(std::move(next));
    }
    gone = out.empty() ? 0 : parts_.sink->deliver(std::move(out));
    in_flight_ -= gone;
  }
  // A snapshot may be larger than the window that it is on its way in.
  if (std::min(in_flight_, window_) + waiting_.bytes() + held_
      > parts_.settings.client_bytes)
    end(close_code::slow_consumer, "too far behind; resume by offset");
}

// -- behaviour and port -------------------------------------------------------

namespace {

client_impl::behavior_type client(client_state::self_ptr self,
                                  client_parts parts) {
  auto& state = self->state;
  state.start(std::move(parts));
  return {
    [&state](const topic_events& events) { state.on_events(events); },
    [&state](client_subscribe& wish) { state.subscribe(wish); },
    [&state](client_unsubscribe& wish) { state.unsubscribe(wish); },
    [&state](client_snapshot& snapshot) { state.on_snapshot(snapshot); },
    [&state](const client_sent& sent) { state.on_sent(sent); },
    [&state](client_ask_again) { state.ask_again(); },
  };
}

class actor_port final : public client_port {
public:
  actor_port(client_actor client,
             std::shared_ptr<std::atomic<std::size_t>> wished)
    : client_{std::move(client)}, wished_{std::move(wished)} {}

  ~actor_port() override {
    caf::anon_send_exit(client_, caf::exit_reason::user_shutdown);
  }

  void subscribe(std::string id, std::vector<topic_request> topics) override {
    *wished_ += topics.size();
    caf::anon_send(client_, client_subscribe{std::move(id), std::move(topics)});
  }

  void unsubscribe(std::string id, std::vector<std::string> topics) override {
    caf::anon_send(client_,
                   client_unsubscribe{std::move(id), std::move(topics)});
  }

  void sent(std::size_t bytes) override {
    caf::anon_send(client_, client_sent{bytes});
  }

  [[nodiscard]] std::size_t wished() const override {
    return *wished_;
  }

private:
  client_actor client_;
  std::shared_ptr<std::atomic<std::size_t>> wished_;
};

} // namespace

std::unique_ptr<client_port> open_client(
  caf::actor_system& sys, hub_actor hub, std::shared_ptr<const queue_door> door,
  std::shared_ptr<client_sink> sink, const config::event_settings& settings) {
  const auto wished = std::make_shared<std::atomic<std::size_t>>(0);
  client_parts parts{std::move(hub), std::move(door), std::move(sink), settings,
                     wished};
  return std::make_unique<actor_port>(
    caf::actor_cast<client_actor>(sys.spawn(client, std::move(parts))), wished);
}

} // namespace troupe::actors
