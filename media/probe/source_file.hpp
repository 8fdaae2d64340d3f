#pragma once

#include "config/result.hpp"
#include "media/child/children.hpp"

#include <filesystem>

namespace troupe::media {

/// Opens a file for a codec child. What is no regular file is not read from:
/// `invalid_media`. `io_error` or `source_not_found` if it cannot be opened.
/// May block as a file system does, but never for a writer of a FIFO.
[[nodiscard]] result<descriptor>
open_media_file(const std::filesystem::path& path);

/// The same for one that is open already.
[[nodiscard]] result<descriptor> checked_media_file(descriptor file);

/// The task that tells a file's facts; see `read_media_facts`.
[[nodiscard]] child_task probe_task(descriptor file);

} // namespace troupe::media
