#pragma once

#include "fake_gateway.hpp"
#include "raw_client.hpp"
#include "ws_client.hpp"

#include "actors/client.hpp"
#include "actors/hub.hpp"
#include "net/server.hpp"

#include <boost/json.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <mutex>
#include <utility>

namespace troupe::net {

/// Answers what client actors ask of the queue from the gateway's jobs.
inline actors::queue_actor::behavior_type
jobs_queue(actors::queue_actor::pointer, fake_gateway* jobs) {
  using namespace actors;
  return {
    [](const submit_request&) {},
    [](const job_command&) {},
    [jobs](const get_request& ask) { jobs->get(ask.id, ask.reply); },
    [jobs](const list_request& ask) { jobs->list(ask.query, ask.reply); },
    [jobs](const depths_request& ask) { jobs->depths(ask.reply); },
    [jobs](const queues_request& ask) { jobs->queues(ask.reply); },
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

struct actor_config : caf::actor_system_config {
  actor_config() {
    add_message_types<caf::id_block::troupe>();
    set("scheduler.max-threads", 1);
  }
};

/// Jobs from a map, events from a real hub with real client actors.
class event_gateway final : public actors::gateway {
public:
  explicit event_gateway(const config::event_settings& settings)
    : settings_{settings}, hub{actors::spawn_hub(system, settings)},
      queue{system.spawn(jobs_queue, &jobs)} {}

  ~event_gateway() override {
    caf::anon_send_exit(hub, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(queue, caf::exit_reason::user_shutdown);
  }

  void submit(store::submit_op op,
              actors::reply_to<actors::submit_reply> reply) override {
    jobs.submit(std::move(op), std::move(reply));
  }
  void command(actors::job_command_kind kind, std::string id,
               actors::reply_to<store::job> reply) override {
    jobs.command(kind, std::move(id), std::move(reply));
  }
  void get(std::string id, actors::reply_to<store::job> reply) override {
    jobs.get(std::move(id), std::move(reply));
  }
  void list(store::list_query query,
            actors::reply_to<store::job_page> reply) override {
    jobs.list(std::move(query), std::move(reply));
  }
  void
  depths(actors::reply_to<std::vector<store::queue_depth>> reply) override {
    jobs.depths(std::move(reply));
  }
  void extract(std::string url,
               actors::reply_to<actors::extract_reply> reply) override {
    jobs.extract(std::move(url), std::move(reply));
  }
  void figures(actors::reply_to<actors::hub_figures> reply) override {
    caf::anon_send(
      hub, actors::figures_request{actors::answer<actors::hub_figures>{reply}});
  }
  std::unique_ptr<actors::client_port>
  open_client(std::shared_ptr<actors::client_sink> sink) override {
    const std::lock_guard guarded{mutex_};
    return actors::open_client(system, hub,
                               std::make_shared<actors::queue_door>(queue),
                               std::move(sink), settings_);
  }

  /// The hub dies, and another begins a life of its own.
  void restart_hub() {
    auto next = actors::spawn_hub(system, settings_);
    const std::lock_guard guarded{mutex_};
    caf::anon_send_exit(std::exchange(hub, std::move(next)),
                        caf::exit_reason::kill);
  }

  fake_gateway jobs;

private:
  std::mutex mutex_; ///< of `hub`, which the edge's thread reads
  config::event_settings settings_;
  actor_config config_;

public:
  caf::actor_system system{config_};
  actors::hub_actor hub;
  actors::queue_actor queue;
};

class EventEnds : public ::testing::Test {
protected:
  explicit EventEnds(config::event_settings given = {}) : events{given} {
    settings.listen = "127.0.0.1:0";
    settings.write_timeout_s = 5;
    running = std::make_unique<server>(
      settings, server_parts{gateway, metrics, guard, "/nonexistent", {}, {}});
    const auto bound = running->listen();
    EXPECT_TRUE(bound) << bound.error().message();
    port = bound ? *bound : 0;
    running->run();
  }

  store::job job(const std::string& id, store::job_state state) {
    store::job made;
    made.id = id;
    made.type = made.queue = "download";
    made.state = state;
    made.fence.epoch = 1;
    gateway.jobs.add(made);
    return made;
  }

  void tell(actors::job_event_type type, store::job about) {
    caf::anon_send(gateway.hub, actors::event_batch{
                                  {{type, 1700000000000, std::move(about)}}});
  }

  /// So many created jobs: j0, j1, …
  void tell_jobs(int count, std::size_t params = 2) {
    for (int i = 0; i < count; ++i) {
      auto made = job("j" + std::to_string(i), store::job_state::queued);
      made.params = "{" + std::string(params, ' ') + "}";
      tell(actors::job_event_type::created, std::move(made));
    }
  }

  static boost::json::value parse(const std::string& text) {
    boost::system::error_code error;
    auto out = boost::json::parse(text, error);
    EXPECT_FALSE(error) << text;
    return out;
  }

  static std::string word(const boost::json::value& from, const char* member) {
    const auto* at =
      from.is_object() ? from.as_object().if_contains(member) : nullptr;
    return at && at->is_string() ? std::string{at->as_string()} : "";
  }

  static std::int64_t offset(const boost::json::value& from) {
    return from.as_object().at("offset").to_number<std::int64_t>();
  }

  /// The `subscribed` frame (or what came instead).
  boost::json::value subscribe(ws_client& client, const std::string& topic,
                               const std::string& more = "") {
    client.send_text(R"({"op":"subscribe","id":1,"topics":[{"topic":")" + topic
                     + "\"" + more + "}]}");
    return parse(client.text());
  }

  config::http_settings settings;
  config::event_settings events;
  config::metrics metrics;
  config::source_settings sources;
  media::address_guard guard{sources};
  event_gateway gateway{events};
  std::uint16_t port = 0;
  std::unique_ptr<server> running;
};

} // namespace troupe::net
