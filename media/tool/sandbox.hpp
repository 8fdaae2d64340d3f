#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace troupe::media {

/// What a tool may touch beside /usr, /etc and such, which it may read.
struct sandbox_rules {
  std::filesystem::path writable; ///< one folder; nothing in it is executed
  std::vector<std::filesystem::path> readable; ///< and executable
  std::uint16_t connect_port = 0;              ///< the only TCP port; 0: any
};

/// Confines the calling thread and all that it starts, for good: no new
/// privileges, and Landlock as far as the kernel knows it (ABI 1: files;
/// 4: TCP ports, binding none; 6: no signals out of the sandbox). A kernel
/// without Landlock confines nothing more. False, with errno, on an error.
[[nodiscard]] bool enter_sandbox(const sandbox_rules& rules);

} // namespace troupe::media
