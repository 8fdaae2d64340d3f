#pragma once

#include "config/result.hpp"

#include <cerrno>
#include <filesystem>
#include <string_view>

namespace troupe::media {

/// `disk_full` for ENOSPC and EDQUOT, else `io_error`; the detail is the path
/// and the system's words.
[[nodiscard]] failure file_failure(const std::filesystem::path& path,
                                   int error = errno);

/// Makes the content of a file, or the entries of a folder, last. Blocks.
[[nodiscard]] result<void> sync_path(const std::filesystem::path& path);

/// Replaces `file` as a whole by `bytes` (written beside it, synced, renamed,
/// folder synced): a crash leaves the old content or the new. Blocks.
/// @param mode permissions of the new file, as for `open`.
[[nodiscard]] result<void> write_file_synced(const std::filesystem::path& file,
                                             std::string_view bytes,
                                             unsigned mode = 0644);

} // namespace troupe::media
