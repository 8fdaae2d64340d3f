#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::media {

/// All descendants of a process, parents before their children.
[[nodiscard]] std::vector<pid_t> descendants_of(pid_t root);

/// A number that changes whenever the process or a descendant of it computes
/// or moves bytes; 0 if it is gone. Reads a few small files of /proc.
[[nodiscard]] std::uint64_t activity_of(pid_t root);

/// Sends SIGKILL to every process that has `entry` (NAME=value) in the
/// environment it was started with, again and again until there is none.
/// False if some are left after a second. Blocks.
bool kill_marked(const std::string& entry);

} // namespace troupe::media
