#pragma once

#include "benchmarks/load/figures.hpp"

#include <cstdint>
#include <string>

namespace troupe::load {

/// Many WebSocket clients that subscribe to one topic and listen.
struct listen_plan {
  std::uint16_t port = 0;
  std::string target = "/v1/ws";
  std::string topic = "jobs"; ///< empty: nothing is sent, frames are counted
  unsigned clients = 1000;
  double seconds = 10; ///< from when all have subscribed
};

struct listen_outcome {
  figures latencies; ///< from an event's `time` to its frame's arrival
  std::uint64_t bytes = 0;
  double seconds = 0;
  std::uint64_t closed = 0; ///< connections that the server ended
};

[[nodiscard]] listen_outcome run_listeners(const listen_plan& plan);

} // namespace troupe::load
