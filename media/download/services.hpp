#pragma once

#include "config/settings.hpp"
#include "media/egress/address_guard.hpp"
#include "media/egress/proxy.hpp"
#include "media/runtime.hpp"
#include "media/tool/tool.hpp"

#include <filesystem>

namespace troupe::config {
class metrics;
}

namespace troupe::media {

/// What downloads stand on; everything outlives them.
struct download_services {
  const config::tool_settings& tools;
  runtime& threads;
  tool_runner& runner;
  egress_proxy& proxy;
  const address_guard& guard;
  config::metrics* metrics;    ///< null: nobody counts
  std::filesystem::path codec; ///< the `troupe-codec` executable
};

} // namespace troupe::media
