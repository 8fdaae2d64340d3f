#pragma once

#include "media/child/order.hpp"
#include "media/descriptor.hpp"

#include <array>

namespace troupe::codec {

/// Landlock rule sets, one for each profile, made in the zygote while paths can
/// still be opened. Whatever the kernel can refuse is refused but for
///   text  fonts: to be read
///   gpu   the render node: read, written, ioctl; /usr, /lib, /lib64 and /sys:
///         read and executed, for its driver
class file_walls {
public:
  explicit file_walls(const media::child_views& views);

  /// True if a child of this profile is to see files, and will see no others.
  [[nodiscard]] bool opens(media::child_profile profile) const;

  /// Confines the calling process for good, whose privileges must be frozen
  /// (no_new_privs). False, with errno, if the kernel will not.
  [[nodiscard]] bool enter(media::child_profile profile) const;

private:
  [[nodiscard]] const media::descriptor& of(media::child_profile profile) const;

  media::descriptor none_;
  media::descriptor text_; ///< none: no font is there
  media::descriptor gpu_;  ///< none: no render node is there
};

} // namespace troupe::codec
