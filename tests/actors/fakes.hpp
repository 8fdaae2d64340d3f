#pragma once

#include "actors/job_run.hpp"
#include "actors/messages.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

/// Stand-ins for the neighbours of an actor under test. Each writes down what
/// it hears; `journal` keeps the order over all of them.
namespace troupe::actors::testing {

using journal = std::vector<std::string>;

struct hub_script {
  std::vector<job_event> events;
  std::vector<progress_report> progress;
  std::vector<subject_event> subjects;
  journal* order = nullptr;
};

inline hub_actor::behavior_type fake_hub(hub_actor::pointer,
                                         std::shared_ptr<hub_script> script) {
  return {
    [script](event_batch& batch) {
      for (auto& event : batch.subjects)
        script->subjects.push_back(std::move(event));
      for (auto& event : batch.events) {
        if (script->order)
          script->order->push_back(
            "event " + std::to_string(static_cast<int>(event.type)));
        script->events.push_back(std::move(event));
      }
    },
    [script](progress_report& report) {
      script->progress.push_back(std::move(report));
    },
    [](subscribe_request&, client_actor&) { return subscribe_reply{}; },
    [](unsubscribe_request&, client_actor&) {},
    [](figures_request&) {},
    [](hub_tick) {},
  };
}

struct manager_script {
  std::vector<lease_batch> leases;
  std::vector<revoke_lease> revoked;
  std::vector<std::string> discarded;
  std::vector<node_sample> samples;
  journal* order = nullptr;
};

inline manager_actor::behavior_type
fake_manager(manager_actor::pointer, std::shared_ptr<manager_script> script) {
  return {
    [script](lease_batch& batch) {
      if (script->order)
        script->order->push_back("lease");
      script->leases.push_back(std::move(batch));
    },
    [script](revoke_lease& order) { script->revoked.push_back(order); },
    [](spawned&) {},
    [](attempt_report&) {},
    [](checkpoint_report&) {},
    [](progress_report&) {},
    [](publish_report&) {},
    [](log_report&) {},
    [script](discard_files& order) {
      for (auto& id : order.ids)
        script->discarded.push_back(std::move(id));
    },
    [](wiring&) {},
    [](drain_request) { return drained{}; },
    [script](const node_sample& now) { script->samples.push_back(now); },
  };
}

/// A queue that answers settlements as the script says.
struct queue_script {
  std::vector<announce> announced;
  std::uint32_t room = 0;
  std::uint32_t urgent_room = 0;
  std::vector<store::queue_depth> depths;
  std::vector<store::operation> ops; ///< all that were settled, in order
  std::vector<progress_report> progress;
  std::deque<store::callback> due;
  std::vector<store::callback_settlement> settled_callbacks;
  std::size_t largest = 0;                 ///< operations in one request
  std::size_t drains = 0;                  ///< so often it was told to
  bool mute = false;                       ///< keeps its answers
  std::vector<std::function<void()>> kept; ///< until it hears of a `wiring`
  std::function<settle_verdict(const store::operation&)> judge =
    [](const store::operation& op) {
      return settle_verdict{store::errc::none,
                            std::holds_alternative<store::succeed_op>(op),
                            false};
    };

  callback_batch take_due(std::size_t max) {
    callback_batch out;
    while (!due.empty() && out.due.size() < max) {
      out.due.push_back(std::move(due.front()));
      due.pop_front();
    }
    return out;
  }

  settle_reply settle(settle_request& request) {
    largest = std::max(largest, request.ops.size());
    settle_reply reply;
    for (auto& op : request.ops) {
      reply.verdicts.push_back(judge(op));
      ops.push_back(std::move(op));
    }
    return reply;
  }

  template <class Op>
  [[nodiscard]] std::vector<Op> of() const {
    std::vector<Op> found;
    for (const auto& op : ops)
      if (const auto* it = std::get_if<Op>(&op))
        found.push_back(*it);
    return found;
  }
};

inline queue_actor::behavior_type
fake_queue(queue_actor::pointer self, std::shared_ptr<queue_script> script) {
  return {
    [](submit_request&) {},
    [](job_command&) {},
    [](get_request&) {},
    [](list_request&) {},
    [script](depths_request& request) { request.reply(script->depths); },
    [](queues_request&) {},
    [](store_call&) {},
    [](change_call&) {},
    [](batch_call&) {},
    [](bulk_call&) {},
    [](batch_request&) {},
    [](log_call&) {},
    [script](const take_callbacks& wish) { return script->take_due(wish.max); },
    [script](const store::callback_settlement& done) {
      script->settled_callbacks.push_back(done);
    },
    [script](announce& words) {
      script->room = words.free.slots;
      script->urgent_room = words.free.urgent;
      script->announced.push_back(std::move(words));
    },
    [script](const room& more) {
      script->room += more.slots;
      script->urgent_room += more.urgent;
    },
    [self, script](settle_request& request) {
      auto promise = self->make_response_promise<settle_reply>();
      auto reply = script->settle(request);
      script->room += request.freed.slots;
      script->urgent_room += request.freed.urgent;
      if (script->mute)
        script->kept.push_back(
          [promise, reply]() mutable { promise.deliver(std::move(reply)); });
      else
        promise.deliver(std::move(reply));
      return promise;
    },
    [script](progress_report& report) {
      script->progress.push_back(std::move(report));
    },
    [](renewal_report&) {},
    [script](wiring&) {
      for (auto& give : std::exchange(script->kept, {}))
        give();
    },
    [script](drain_request) {
      ++script->drains;
      return drained{};
    },
    [script](const take_room& order) {
      const auto taken = std::min(script->room, order.slots);
      const auto urgent = std::min(script->urgent_room, order.urgent);
      script->room -= taken;
      script->urgent_room -= urgent;
      return room{order.queue, taken, urgent};
    },
  };
}

/// Attempts and file work that do as the test says.
struct bench_script {
  struct running {
    media::attempt_task task;
    std::shared_ptr<media::attempt_sink> sink;
    std::vector<media::errc> cancels;
  };

  std::map<std::string, running> attempts; ///< alive, by job
  std::size_t made = 0;
  std::size_t destroyed = 0;
  bool crash = false; ///< making an attempt throws
  /// What an attempt does when it starts, and when it is cancelled.
  std::function<void(running&)> on_start = [](running&) {
  };
  std::function<void(running&, media::errc)> on_cancel = [](running& it,
                                                            media::errc why) {
    it.sink->on_done(media::failure_report{why, "stopped", 0});
  };

  std::deque<result<media::publish_outcome>> publishes; ///< then: as asked
  std::vector<std::vector<media::staged_file>> published;
  std::vector<std::string> discarded; ///< "{id}" or "{id}.{epoch}"
  bool hold_files = false;
  std::deque<std::function<void()>> held;
};

class scripted_attempt final : public media::attempt {
public:
  scripted_attempt(std::shared_ptr<bench_script> script, std::string id)
    : script_(std::move(script)), id_(std::move(id)) {}
  ~scripted_attempt() override {
    ++script_->destroyed;
    script_->attempts.erase(id_);
  }
  void start() override {
    script_->on_start(script_->attempts.at(id_));
  }
  void cancel(media::errc why) override {
    auto& it = script_->attempts.at(id_);
    it.cancels.push_back(why);
    script_->on_cancel(it, why);
  }

private:
  std::shared_ptr<bench_script> script_;
  std::string id_;
};

inline std::shared_ptr<const job_bench>
scripted_bench(const std::shared_ptr<bench_script>& script) {
  auto bench = std::make_shared<job_bench>();
  bench->make_attempt = [script](media::attempt_task task, auto sink) {
    if (script->crash)
      throw std::runtime_error{"an attempt that cannot be made"};
    ++script->made;
    auto id = task.id;
    script->attempts[id] = {std::move(task), std::move(sink), {}};
    return std::make_unique<scripted_attempt>(script, std::move(id));
  };
  bench->on_file_thread = [script](std::function<void()> work) {
    if (script->hold_files)
      script->held.push_back(std::move(work));
    else
      work();
  };
  bench->publish =
    [script](std::string said,
             const auto& manifest) -> result<media::publish_outcome> {
    script->published.push_back(manifest);
    if (script->publishes.empty())
      return media::publish_outcome{std::move(said), {}};
    auto next = std::move(script->publishes.front());
    script->publishes.pop_front();
    return next;
  };
  bench->discard_staging = [script](const auto& id, std::uint64_t epoch) {
    script->discarded.push_back(id + "." + std::to_string(epoch));
  };
  bench->discard_job = [script](const auto& id) {
    script->discarded.push_back(id);
  };
  return bench;
}

} // namespace troupe::actors::testing
