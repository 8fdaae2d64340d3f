#pragma once

#include <cstdint>

namespace troupe::media {

/// What an attempt really took, as far as it was measured; 0: not known.
struct resource_use {
  double cpu_s = 0;          ///< of all its processes, user and system
  double wall_s = 0;         ///< from its start to its end
  std::uint64_t memory = 0;  ///< bytes, at the peak of its largest process
  std::uint64_t disk = 0;    ///< bytes, beside what it staged
  std::uint64_t network = 0; ///< bytes fetched

  bool operator==(const resource_use&) const = default;
};

/// What a job takes while it runs.
struct job_cost {
  double cpu = 0;              ///< cores
  std::uint64_t memory = 0;    ///< bytes
  std::uint64_t disk = 0;      ///< bytes
  std::uint64_t bandwidth = 0; ///< bytes a second

  bool operator==(const job_cost&) const = default;
};

} // namespace troupe::media
