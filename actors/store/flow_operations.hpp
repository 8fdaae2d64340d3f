#pragma once

#include <cstdint>
#include <optional>
#include <string>

/// Operations that change limits; their answers hold no job.
namespace troupe::store {

/// Changes what it names of a queue's settings, now, whatever runs; 0: no
/// limit. What runs beyond a lower limit goes on.
struct put_queue_op {
  std::string queue;
  std::optional<bool> paused; ///< nothing more is claimed; what runs goes on
  std::optional<std::uint32_t> concurrency; ///< running jobs, over all servers
  std::optional<double> rate_per_s;         ///< claims
  /// Running jobs of each key that has no limit of its own.
  std::optional<std::uint32_t> key_concurrency;
};

/// Limits the jobs of a `concurrency_key`, in all queues together; both 0: no
/// longer.
struct put_limit_op {
  std::string key;
  std::uint32_t concurrency = 0;
  double rate_per_s = 0;
};

} // namespace troupe::store
