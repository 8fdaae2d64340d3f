#pragma once

#include "actors/gateway.hpp"
#include "actors/messages.hpp"
#include "actors/queue_door.hpp"
#include "config/settings.hpp"

#include <memory>

namespace caf {
class actor_system;
}

namespace troupe::actors {

/// Spawns a client actor that delivers to `sink`; destroying the port ends it.
/// Snapshots are asked of the queue behind `door`, counted there. When the hub
/// dies, the sink is told to close, so that its client comes back to the next
/// one.
[[nodiscard]] std::unique_ptr<client_port> open_client(
  caf::actor_system& sys, hub_actor hub, std::shared_ptr<const queue_door> door,
  std::shared_ptr<client_sink> sink, const config::event_settings& settings);

} // namespace troupe::actors
