#pragma once

#include "actors/queue.hpp"
#include "actors/renewer.hpp"
#include "config/metrics.hpp"
#include "tests/actor_fixture.hpp"
#include "tests/actors/fakes.hpp"
#include "tests/actors/flaky_store.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <optional>

namespace troupe::actors::testing {

using namespace std::chrono_literals;

template <class T>
using heard = std::shared_ptr<std::vector<result<T>>>;

template <class T>
heard<T> listen() {
  return std::make_shared<std::vector<result<T>>>();
}

template <class T>
answer<T> into(const heard<T>& all) {
  return answer<T>{[all](result<T> outcome) {
    all->push_back(std::move(outcome));
  }};
}

class QueueTest : public troupe::testing::ActorTest {
protected:
  QueueTest() {
    store::store_options options;
    options.url = "memory:";
    options.lease_ms = 15000;
    options.clock_offset_ms = [this] {
      return store_ahead_ms;
    };
    store = *store::open_store(options);
    hub->order = &order;
    pool->order = &order;
  }

  void SetUp() override {
    start();
  }

  void start() {
    queue_options options;
    options.node = "n1";
    options.lease_ms = 15000;
    options.open = [this]() -> result<std::unique_ptr<store::job_store>> {
      return std::make_unique<flaky_store>(store, faults);
    };
    options.status = status;
    options.board = board;
    options.spool = spool;
    options.adopt = adopts;
    options.metrics = &metrics;
    options.stall = [](std::string_view) {
      return 30s;
    };
    aut = keep(sys.spawn(queue, options));
    run();
    caf::anon_send(aut, wiring{aut, {}, hub_handle()});
    if (!renews) {
      renewer_options plan;
      plan.open = options.open;
      plan.board = board;
      plan.look_every = 250ms;
      renews = keep(sys.spawn(renewer, std::move(plan)));
    }
    caf::anon_send(renews, wiring{aut, {}, hub_handle()});
    run();
  }

  hub_actor hub_handle() {
    if (!hub_)
      hub_ = keep(sys.spawn(fake_hub, hub));
    return hub_;
  }

  manager_actor join(std::uint32_t slots, std::vector<held_job> held = {}) {
    auto it = keep(sys.spawn(fake_manager, pool));
    caf::anon_send(aut, announce{{"bulk", slots}, std::move(held), it});
    run();
    return it;
  }

  static submit_request noop(const heard<submit_reply>& replies,
                             std::string key = {}) {
    submit_request request;
    request.op.draft.type = "noop";
    request.op.draft.queue = "bulk";
    request.op.idempotency = {std::move(key), "hash"};
    request.reply = into(replies);
    return request;
  }

  std::string submit() {
    const auto replies = listen<submit_reply>();
    caf::anon_send(aut, noop(replies));
    run();
    return replies->size() == 1 && replies->front() ? replies->front()->job->id
                                                    : std::string{};
  }

  result<store::job> command(job_command_kind kind, const std::string& id) {
    const auto replies = listen<store::job>();
    caf::anon_send(aut, job_command{kind, id, into(replies)});
    run();
    return replies->size() == 1 ? replies->front()
                                : result<store::job>{fail(errc::deadline)};
  }

  result<store::job> get(const std::string& id) {
    const auto replies = listen<store::job>();
    caf::anon_send(aut, get_request{id, into(replies)});
    run();
    return replies->size() == 1 ? replies->front()
                                : result<store::job>{fail(errc::deadline)};
  }

  /// Asks to settle; the verdicts come into the result when they come.
  std::shared_ptr<std::optional<settle_reply>> settle(store::operation op,
                                                      std::uint32_t freed = 0) {
    auto out = std::make_shared<std::optional<settle_reply>>();
    auto asker = [out](caf::event_based_actor* me, queue_actor to,
                       settle_request request) {
      me->request(to, caf::infinite, std::move(request))
        .then([out](settle_reply& reply) { *out = std::move(reply); },
              [](const caf::error&) {});
    };
    settle_request request;
    request.ops.push_back(std::move(op));
    request.freed = {"bulk", freed};
    keep(sys.spawn(asker, queue_actor{aut}, std::move(request)));
    run();
    return out;
  }

  [[nodiscard]] std::size_t events(job_event_type type) const {
    return static_cast<std::size_t>(std::ranges::count(
      hub->events, type, [](const job_event& it) { return it.type; }));
  }

  const store::job& lease(std::size_t batch = 0, std::size_t at = 0) const {
    return *pool->leases.at(batch).jobs.at(at);
  }

  std::int64_t store_ahead_ms = 0; ///< of the wall clock
  config::metrics metrics;
  std::shared_ptr<store::job_store> store;
  std::shared_ptr<store_faults> faults = std::make_shared<store_faults>();
  std::shared_ptr<queue_status> status = std::make_shared<queue_status>();
  std::shared_ptr<store::spool> spool; ///< none: the store shares our disk
  bool adopts = true;
  std::shared_ptr<lease_board> board = std::make_shared<lease_board>();
  std::shared_ptr<hub_script> hub = std::make_shared<hub_script>();
  std::shared_ptr<manager_script> pool = std::make_shared<manager_script>();
  journal order;
  hub_actor hub_;
  queue_impl aut;
  renewer_impl renews;
};

} // namespace troupe::actors::testing
