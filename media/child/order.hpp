#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace troupe::media {

/// The descriptors of a zygote, and of a child that it bears.
inline constexpr int zygote_control_fd = 3;
inline constexpr int zygote_births_fd = 4; ///< see `birth_page`
inline constexpr int child_socket_fd = 3;
/// The read end of a pipe whose only writer is the server: its end kills.
inline constexpr int child_lifeline_fd = 4;

/// What a child may see beside the descriptors that it is given.
enum class child_profile : std::uint32_t {
  media, ///< nothing
  text,  ///< fonts and their configuration, read-only
  gpu,   ///< a render node, and what its driver reads: weaker
};

/// What one child may take. Plain, as it travels to the zygote.
struct child_limits {
  std::uint64_t memory = 1u << 30; ///< bytes of addresses beyond its birth
  std::uint64_t file_size = 0;     ///< bytes that it may write to a file
  std::uint32_t files = 64;        ///< descriptors
  std::int32_t nice = 0;
  child_profile profile = child_profile::media;
};

/// What children of the profiles `text` and `gpu` may see; given to a zygote
/// when it is started.
struct child_views {
  std::vector<std::filesystem::path> fonts; ///< those that are there count
  std::filesystem::path render_node;        ///< empty: none
};

struct spawn_order {
  child_limits limits;
  std::uint32_t line = 0; ///< of the `birth_page`
};

} // namespace troupe::media
