#pragma once

#include "config/settings.hpp"
#include "media/child/children.hpp"
#include "media/download/host_pauses.hpp"
#include "media/egress/address_guard.hpp"
#include "media/egress/proxy.hpp"
#include "media/probe/bad_sources.hpp"
#include "media/runtime.hpp"
#include "media/tool/tool.hpp"

#include <cstdint>

namespace troupe::config {
class metrics;
}

namespace troupe::media {

/// A command yet without words, within what the configuration grants tools.
[[nodiscard]] inline tool_command
command_within(const config::tool_settings& tools) {
  tool_command order;
  order.nice = static_cast<int>(tools.nice);
  order.limits.memory = std::uint64_t{tools.memory_mb} << 20;
  return order;
}

/// What downloads stand on; everything outlives them.
struct download_services {
  const config::tool_settings& tools;
  runtime& threads;
  tool_runner& runner;
  egress_proxy& proxy;
  const address_guard& guard;
  config::metrics* metrics; ///< null: nobody counts
  codec_children& children;
  host_pauses& pauses; ///< hosts that asked to be left alone
  bad_sources& bad;    ///< what crashes codec children
};

} // namespace troupe::media
