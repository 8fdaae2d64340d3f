#pragma once

#include "config/result.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace troupe::media {

struct file_digest {
  std::int64_t size = 0;
  std::string sha256; ///< lower-case hex
};

/// Reads the whole file; blocks. `io_error` with the path in the detail.
[[nodiscard]] result<file_digest> digest_of(const std::filesystem::path& file);

/// The same of an open file, from its current position; `name` is for people.
[[nodiscard]] result<file_digest>
digest_of_open(int fd, const std::filesystem::path& name);

/// Lower-case hex of the SHA-256 of some bytes.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

} // namespace troupe::media
