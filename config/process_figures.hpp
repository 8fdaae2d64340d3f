#pragma once

#include <cstdint>

namespace troupe::config {

/// What the kernel tells of this process (proc(5)); 0 where it does not.
struct process_figures {
  double cpu_s = 0; ///< user and system
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_files = 0;
  std::uint64_t max_files = 0;
  std::uint64_t threads = 0;
  double started = 0; ///< seconds since the Unix epoch
};

[[nodiscard]] process_figures read_process_figures();

} // namespace troupe::config
