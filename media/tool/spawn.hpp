#pragma once

#include "config/result.hpp"
#include "media/descriptor.hpp"
#include "media/tool/order.hpp"

#include <sys/types.h>

#include <filesystem>

namespace troupe::media {

/// A started guard. Its end of `control` closes with it; ours is its lifeline.
struct spawned_guard {
  pid_t pid = 0;      ///< its own until it is reaped
  descriptor process; ///< pidfd
  descriptor control; ///< packets: `guard_stop` out, `guard_report` in
  descriptor output;  ///< the tool's stdout, read end, non-blocking
  descriptor errors;  ///< its stderr
};

/// Starts `program tool-guard` with an order. It inherits nothing else: no
/// descriptor, no environment, no signal mask, no session. `io_error` if not.
[[nodiscard]] result<spawned_guard>
spawn_guard(const std::filesystem::path& program, const guard_order& order);

} // namespace troupe::media
