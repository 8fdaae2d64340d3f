#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace troupe::media {

/// All descendants of a process, parents before their children.
[[nodiscard]] std::vector<pid_t> descendants_of(pid_t root);

/// Sends SIGKILL to every process that has `entry` (NAME=value) in the
/// environment it was started with, again and again until there is none.
/// False if some are left after a second. Blocks.
bool kill_marked(const std::string& entry);

} // namespace troupe::media
