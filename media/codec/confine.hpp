#pragma once

#include "media/child/order.hpp"
#include "media/codec/call_filter.hpp"
#include "media/codec/file_walls.hpp"

#include <string>

namespace troupe::codec {

/// What shuts a child in, layer by layer. One is made in the zygote, which
/// takes the layers that every child inherits; each child then shuts itself
/// off from files and `close`s itself up, before it reads any input. A profile
/// that sees files where Landlock is missing sees none.
///
/// Layers that the kernel refuses are missing, never silently: `report` has a
/// line `NAME yes` or `NAME no: REASON` for each of
///   privileges  no_new_privs, and no capabilities
///   namespaces  a network without a way out, IPC of its own
///   root        an empty, unlinked folder as root; not if it sees files
///   landlock    no file but the profile's, no TCP, no signal goes out
///   seccomp     `call_filter`
///   limits      memory, file size, descriptors, no core files
class confinement {
public:
  explicit confinement(const media::child_views& views);

  /// Shuts this child off from files. @pre one thread, and the descriptors of
  /// its zygote.
  void shut_files(media::child_profile profile);
  /// The other layers, after which little can be called. @pre one thread.
  void close(const media::child_limits& limits);

  [[nodiscard]] const std::string& report() const noexcept {
    return report_;
  }

private:
  void note(const char* layer, bool active);
  void skip(const char* layer);

  [[nodiscard]] const call_filter&
  filter_of(media::child_profile profile) const;

  file_walls files_;
  call_filter media_calls_{media::child_profile::media};
  call_filter text_calls_{media::child_profile::text};
  call_filter gpu_calls_{media::child_profile::gpu};
  bool inside_ = false; ///< works in an empty folder
  bool frozen_ = false; ///< no privilege can be gained
  std::string report_;
  std::uint64_t base_memory_ = 0; ///< addresses that every child starts with
};

/// Lets the kernel kill this process when the lifeline's writer is gone. False
/// if it cannot, or is gone already.
[[nodiscard]] bool arm_lifeline(int pipe);

} // namespace troupe::codec
