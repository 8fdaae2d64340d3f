#pragma once

#include "config/result.hpp"
#include "media/files/digest.hpp"

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace troupe::media {

/// Writes and syncs a file of `size` bytes, `seed` repeated line by line,
/// making its folder. Blocks. `disk_full` or `io_error` with the path.
[[nodiscard]] result<file_digest>
write_filler(const std::filesystem::path& file, std::string_view seed,
             std::int64_t size);

} // namespace troupe::media
