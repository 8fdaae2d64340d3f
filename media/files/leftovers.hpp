#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace troupe::media {

/// What one job has below `{library}/.troupe`.
struct leftover {
  std::string job;
  /// When last something in one of its folders was made, renamed or written.
  std::filesystem::file_time_type touched;
};

/// Every job that has private folders there, each once. Blocks; what cannot be
/// read is left out.
[[nodiscard]] std::vector<leftover>
find_leftovers(const std::filesystem::path& library);

} // namespace troupe::media
