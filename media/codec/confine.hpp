#pragma once

#include "media/child/order.hpp"
#include "media/codec/call_filter.hpp"

#include <string>

namespace troupe::codec {

/// What shuts a child in, layer by layer. One is made in the zygote, which
/// takes the layers that every child inherits; each child then `close`s itself
/// up before it reads any input.
///
/// Layers that the kernel refuses are missing, never silently: `report` has a
/// line `NAME yes` or `NAME no: REASON` for each of
///   privileges  no_new_privs, and no capabilities
///   namespaces  a network without a way out, IPC of its own
///   root        an empty, unlinked folder as root
///   landlock    no file can be opened, no TCP, no signal goes out
///   seccomp     `call_filter`
///   limits      memory, file size, descriptors, no core files
class confinement {
public:
  confinement();

  /// Confines this child, and arms its lifeline. @pre one thread.
  void close(const media::child_limits& limits);

  [[nodiscard]] const std::string& report() const noexcept {
    return report_;
  }

private:
  void note(const char* layer, bool active);
  void skip(const char* layer);

  call_filter filter_;
  std::string report_;
  std::uint64_t base_memory_ = 0; ///< addresses that every child starts with
};

/// Lets the kernel kill this process when the lifeline's writer is gone. False
/// if it cannot, or is gone already.
[[nodiscard]] bool arm_lifeline(int pipe);

} // namespace troupe::codec
