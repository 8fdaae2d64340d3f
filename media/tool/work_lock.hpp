#pragma once

#include "media/descriptor.hpp"

#include <filesystem>

namespace troupe::media {

/// The lock of a work folder: one holder in all processes, released by its
/// end. The file stays.
class work_lock {
public:
  /// False with errno: EWOULDBLOCK while another holds it. Never waits.
  [[nodiscard]] bool try_take(const std::filesystem::path& file);

private:
  descriptor held_;
};

} // namespace troupe::media
