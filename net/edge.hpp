#pragma once

#include "config/settings.hpp"
#include "net/ask.hpp"
#include "net/job_submit.hpp"
#include "net/server.hpp"

#include <atomic>
#include <cstdint>

namespace troupe::net {

/// What every handler may use; owned by the server, outlives every session.
/// Handlers run on the io thread, one at a time between two `co_await`s.
struct edge {
  config::http_settings settings;
  server_parts parts;
  /// The bridge to the actors.
  ask_desk& asks;
  submit_reader submits;
  /// Set once, from any thread.
  std::atomic<bool> draining = false;
};

} // namespace troupe::net
