#pragma once

#include "benchmarks/load/figures.hpp"

#include <cstdint>
#include <string>

namespace troupe::load {

/// POSTs the same body again and again, or batches of it.
struct post_plan {
  std::uint16_t port = 0;
  std::string target = "/v1/jobs";
  std::string body = R"({"type":"noop","params":{}})";
  unsigned connections = 64;
  std::uint64_t batch = 0; ///< jobs per POST, to `…/batch`; 0: one each
  double seconds = 10;
  std::uint64_t count = 0; ///< stop after so many jobs; 0: after `seconds`
  /// Requests per second over all connections; latency counts from when a
  /// request was due, so that a stall is seen by all that it holds up. 0: each
  /// connection sends as soon as it has its answer.
  double rate = 0;
};

struct post_outcome {
  figures latencies;
  double seconds = 0;
  std::uint64_t jobs = 0;
  std::uint64_t errors = 0; ///< answers other than 2xx
};

[[nodiscard]] post_outcome run_posts(const post_plan& plan);

} // namespace troupe::load
