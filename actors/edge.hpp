#pragma once

#include "actors/gateway.hpp"
#include "actors/root.hpp"
#include "config/settings.hpp"

#include <caf/actor_system.hpp>

#include <mutex>

namespace troupe::actors {

/// The gateway into a running actor system. A call is one message; its answer
/// comes back by the callback inside it (see `answer`).
/// Invariant: `contacts_` are the root's newest, all null once it ends, so that
/// nothing here keeps an actor.
class edge final : public gateway {
public:
  edge(caf::actor_system& sys, config::event_settings settings)
    : sys_(sys), settings_(settings) {}

  void meet(edge_contacts contacts);

  void submit(store::submit_op op, reply_to<submit_reply> reply) override;
  void command(job_command_kind kind, std::string id,
               reply_to<store::job> reply) override;
  void get(std::string id, reply_to<store::job> reply) override;
  void list(store::list_query query, reply_to<store::job_page> reply) override;
  void depths(reply_to<std::vector<store::queue_depth>> reply) override;
  void extract(std::string url, reply_to<extract_reply> reply) override;
  void figures(reply_to<hub_figures> reply) override;
  std::unique_ptr<client_port>
  open_client(std::shared_ptr<client_sink> sink) override;

private:
  edge_contacts contacts();
  void ask_queue(auto request);

  caf::actor_system& sys_;
  config::event_settings settings_;
  std::mutex mutex_;
  edge_contacts contacts_;
};

} // namespace troupe::actors
