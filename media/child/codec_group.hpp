#pragma once

#include "config/result.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

#include <sys/types.h>

namespace troupe::media {

/// What all codec children of a server may take together.
struct group_limits {
  std::uint64_t memory = 0; ///< bytes
  std::uint32_t tasks = 0;  ///< processes and threads
};

/// Three quarters of the machine's memory.
[[nodiscard]] group_limits default_group_limits();

/// The folder of this process's own cgroup v2. `io_error` if there is none.
[[nodiscard]] result<std::filesystem::path> own_group();

/// Beneath which group those of our children belong. A group that holds
/// processes, as our own does, can have none with limits beneath it (the
/// kernel's rule "no internal processes"): so it is the one around our own, if
/// systemd has marked that as delegated to us, else our own.
[[nodiscard]] std::filesystem::path
home_of_groups(const std::filesystem::path& own);

/// How often the kernel has killed for want of memory, by a group's
/// `memory.events`; 0 where nobody counts. Blocks as a file of the kernel does.
[[nodiscard]] std::uint64_t oom_kills(const std::filesystem::path& events);

/// A cgroup v2 beneath another, for a zygote and all that it bears; removed,
/// once it is empty, when this goes. Blocks as a file of the kernel does.
class codec_group {
public:
  /// `io_error` with the reason if the controllers `memory` and `pids` are not
  /// there to be used, as in a group that was not delegated, or holds
  /// processes itself.
  [[nodiscard]] static result<codec_group>
  make(const std::filesystem::path& parent, const std::string& name,
       const group_limits& limits);
  codec_group(codec_group&& other) noexcept;
  codec_group& operator=(codec_group&&) = delete;
  ~codec_group();

  [[nodiscard]] std::filesystem::path events() const {
    return folder_ / "memory.events";
  }

  /// Moves a process here; what it bears is born here.
  [[nodiscard]] result<void> take(pid_t process) const;

private:
  explicit codec_group(std::filesystem::path folder)
    : folder_(std::move(folder)) {}

  std::filesystem::path folder_; ///< empty: moved from
};

} // namespace troupe::media
