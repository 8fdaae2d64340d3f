#pragma once

#include "media/child/order.hpp"

#include <vector>

struct sock_filter;

namespace troupe::codec {

/// The system calls that a codec child may make, as a seccomp program: what a
/// codec needs is allowed, what only an attack would call kills the process
/// (SIGSYS), all else gets EPERM; `clone` makes threads only and `clone3` is
/// ENOSYS, so that glibc takes `clone`. Memory never becomes executable, but
/// for a GPU's driver. What a profile that sees files adds is opening and
/// looking; which files, Landlock says.
class call_filter {
public:
  explicit call_filter(media::child_profile profile);
  ~call_filter();
  call_filter(const call_filter&) = delete;
  call_filter& operator=(const call_filter&) = delete;

  /// Confines the calling process for good, whose privileges must be frozen
  /// (no_new_privs). False, with errno, if the kernel will not.
  [[nodiscard]] bool apply() const;

private:
  std::vector<sock_filter> program_; ///< empty: it cannot be built
};

} // namespace troupe::codec
