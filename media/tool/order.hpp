#pragma once

#include "media/tool/tool.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::media {

/// The guard's descriptors, as the server hands them over.
inline constexpr int order_fd = 3;   ///< a memory file with the order
inline constexpr int control_fd = 4; ///< socket; its end is the server's

/// What a guard is asked to do.
struct guard_order {
  std::vector<std::string> argv;
  std::vector<std::string> environment; ///< complete
  std::filesystem::path folder;
  std::filesystem::path lock_file; ///< empty: no lock
  std::vector<std::filesystem::path> readable;
  int nice = 0;
  std::uint16_t connect_port = 0; ///< 0: any
  tool_limits limits;
  /// An entry of the environment that no other tree has; by it a tree is found
  /// whose guard was killed.
  std::string marker;
};

/// One packet on the control socket from the server to the guard: end the
/// tree, SIGKILL after so many milliseconds.
struct guard_stop {
  std::uint32_t grace_ms = 0;
};

/// One packet from the guard to the server, before it exits.
struct guard_report {
  std::int32_t status = 0;
  std::int32_t signal = 0;
  std::uint64_t cpu_ms = 0;      ///< of the whole tree
  std::uint64_t peak_kb = 0;     ///< memory of its largest process
  std::array<char, 504> error{}; ///< zero-terminated; why nothing was started
};

[[nodiscard]] std::string encode(const guard_order& order);
/// None if the bytes are no order of this build.
[[nodiscard]] std::optional<guard_order> decode_order(std::string_view bytes);

} // namespace troupe::media
