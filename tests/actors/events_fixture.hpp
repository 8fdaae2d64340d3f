#pragma once

#include "actors/client.hpp"
#include "actors/client_queue.hpp"
#include "actors/hub.hpp"
#include "tests/actor_fixture.hpp"

#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <gmock/gmock.h>

#include <optional>

namespace troupe::actors::testing {

using namespace std::chrono_literals;

/// What the queue's stand-in knows and has been asked.
struct queue_script {
  std::map<std::string, store::job> jobs;
  bool mute = false; ///< keeps what it is asked
  std::vector<get_request> kept;
};

inline queue_actor::behavior_type
fake_event_queue(queue_actor::pointer, std::shared_ptr<queue_script> script) {
  return {
    [](const submit_request&) {},
    [](const job_command&) {},
    [script](const get_request& ask) {
      if (script->mute) {
        script->kept.push_back(ask);
        return;
      }
      const auto found = script->jobs.find(ask.id);
      if (found == script->jobs.end())
        ask.reply(fail(store::errc::not_found));
      else
        ask.reply(found->second);
    },
    [script](const list_request& ask) {
      store::job_page page;
      for (const auto& [id, job] : script->jobs)
        if (job.state == ask.query.state)
          page.jobs.push_back(job);
      ask.reply(page);
    },
    [script](const depths_request& ask) {
      store::queue_depth depth;
      depth.queue = "download";
      depth.oldest_age_ms = 1500;
      for (const auto& [id, job] : script->jobs)
        ++depth.by_state[static_cast<std::size_t>(job.state)];
      ask.reply(std::vector{depth});
    },
    [script](const queues_request& ask) {
      store::queue_info queue;
      queue.queue = "download";
      queue.oldest_age_ms = 1500;
      for (const auto& [id, job] : script->jobs)
        ++queue.by_state[static_cast<std::size_t>(job.state)];
      ask.reply(std::vector{queue});
    },
    [](const store_call&) {},
    [](const change_call&) {},
    [](const batch_call&) {},
    [](const bulk_call&) {},
    [](const batch_request&) {},
    [](const log_call&) {},
    [](const take_callbacks&) { return callback_batch{}; },
    [](const store::callback_settlement&) {},
    [](const announce&) {},
    [](const room&) {},
    [](const settle_request&) { return settle_reply{}; },
    [](const progress_report&) {},
    [](const renewal_report&) {},
    [](const wiring&) {},
    [](const drain_request&) { return drained{}; },
    [](const take_room&) { return room{}; },
  };
}

/// A connection's end that notes what it hears.
class noting_sink final : public client_sink {
public:
  std::size_t deliver(std::vector<frame_ptr> frames) override {
    deliveries.push_back(frames.size());
    std::size_t bytes = 0;
    for (auto& frame : frames) {
      bytes += frame->text.size();
      heard.push_back(std::move(frame));
    }
    return at_once ? bytes : 0;
  }

  void close(close_code code, std::string) override {
    closed = code;
  }

  std::vector<frame_ptr> take() {
    return std::exchange(heard, {});
  }

  bool at_once = false; ///< everything leaves while it is delivered
  std::vector<std::size_t> deliveries;
  std::vector<frame_ptr> heard;
  std::optional<close_code> closed;
};

class EventsTest : public troupe::testing::ActorTest {
protected:
  EventsTest() {
    hub = spawn_hub(sys, settings);
    queue = sys.spawn(fake_event_queue, script);
    door->meet(queue);
    run();
  }

  ~EventsTest() override {
    caf::anon_send_exit(hub, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(queue, caf::exit_reason::user_shutdown);
  }

  struct listener {
    std::shared_ptr<noting_sink> sink = std::make_shared<noting_sink>();
    std::unique_ptr<client_port> port;
  };

  listener join() {
    listener made;
    made.port = open_client(sys, hub, door, made.sink, settings);
    run();
    return made;
  }

  /// Subscribes to one topic; its first frame.
  frame_ptr subscribe(listener& who, topic_request wish) {
    who.port->subscribe("7", {std::move(wish)});
    run();
    auto frames = who.sink->take();
    if (frames.empty())
      return nullptr;
    auto first = frames.front();
    frames.erase(frames.begin());
    who.sink->heard = std::move(frames);
    return first;
  }

  store::job& job(const std::string& id, store::job_state state) {
    auto& made = script->jobs[id];
    made.id = id;
    made.queue = "download";
    made.state = state;
    made.fence.epoch = 1;
    ++made.revision;
    return made;
  }

  void tell(job_event_type type, const store::job& about) {
    self->send(hub, event_batch{{{type, 1700000000000, about}}});
    run();
  }

  void report(const std::string& id, std::int64_t done) {
    progress_report made{id, "download", 1, {}};
    made.now.done = done;
    self->send(hub, std::move(made));
    run();
  }

  static std::vector<std::uint64_t>
  offsets(const std::vector<frame_ptr>& frames) {
    std::vector<std::uint64_t> out;
    for (const auto& frame : frames)
      out.push_back(frame->offset);
    return out;
  }

  config::event_settings settings = [] {
    config::event_settings made;
    made.client_bytes = 256 * 1024;
    return made;
  }();
  std::shared_ptr<queue_script> script = std::make_shared<queue_script>();
  std::shared_ptr<queue_door> door = std::make_shared<queue_door>();
  hub_actor hub;
  queue_actor queue;
};

} // namespace troupe::actors::testing
