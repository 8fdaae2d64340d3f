#pragma once

#include <cstdint>

namespace troupe::media {

/// The descriptors of a zygote, and of a child that it bears.
inline constexpr int zygote_control_fd = 3;
inline constexpr int child_socket_fd = 3;
/// The read end of a pipe whose only writer is the server: its end kills.
inline constexpr int child_lifeline_fd = 4;

/// What one child may take. Plain, as it travels to the zygote.
struct child_limits {
  std::uint64_t memory = 1u << 30; ///< bytes of addresses beyond its birth
  std::uint64_t file_size = 0;     ///< bytes that it may write to a file
  std::uint32_t files = 64;        ///< descriptors
  std::int32_t nice = 0;
};

struct spawn_order {
  child_limits limits;
};

} // namespace troupe::media
