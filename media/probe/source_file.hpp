#pragma once

#include "config/result.hpp"
#include "media/child/children.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace troupe::media {

/// Opens a file for a codec child. What is no regular file is not read from:
/// `invalid_media`. `io_error` or `source_not_found` if it cannot be opened.
/// May block as a file system does, but never for a writer of a FIFO.
[[nodiscard]] result<descriptor>
open_media_file(const std::filesystem::path& path);

/// The same for one that is open already.
[[nodiscard]] result<descriptor> checked_media_file(descriptor file);

/// What tells a file from another, and from itself when it was changed.
struct file_stamp {
  std::uint64_t device = 0;
  std::uint64_t number = 0;
  std::int64_t size = 0;
  std::int64_t changed_ns = 0; ///< its content

  bool operator==(const file_stamp&) const = default;
};

[[nodiscard]] file_stamp stamp_of(const descriptor& file);
[[nodiscard]] std::string to_string(const file_stamp& stamp);

/// The task that tells a file's facts; see `read_media_facts`.
[[nodiscard]] child_task probe_task(descriptor file);
/// The same for what is read by asking.
[[nodiscard]] child_task probe_task(std::shared_ptr<child_source> source);

} // namespace troupe::media
