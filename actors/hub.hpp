#pragma once

#include "actors/messages.hpp"
#include "config/settings.hpp"

#include <caf/actor_system.hpp>

namespace troupe::actors {

/// Spawns a hub; the caller monitors and replaces it. Its epoch is new.
[[nodiscard]] hub_actor spawn_hub(caf::actor_system& sys,
                                  const config::event_settings& settings);

} // namespace troupe::actors
