#pragma once

#include "config/result.hpp"
#include "net/http.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::net {

/// The path, in a job's result, of the file of that name: one of `path`,
/// `thumbnail`, `info_json`, or subtitles beside `path`, which begin with its
/// stem. Nothing if the result names no such file.
/// @param result JSON object, or empty
[[nodiscard]] std::optional<std::filesystem::path>
result_file(std::string_view result, std::string_view name);

/// A regular file, opened.
struct open_file {
  std::shared_ptr<const media::descriptor> fd;
  std::uint64_t size = 0;
  std::string etag; ///< strong, quoted: of inode, size and time of change
  std::string_view type = {}; ///< of media, static; empty: by its name
};

/// Opens a file of the library; `errc::source_not_found` of media for one that
/// is not there, no regular file, or not beneath the library. Blocks.
[[nodiscard]] result<open_file>
open_in_library(const std::filesystem::path& library,
                const std::filesystem::path& file);

/// The media type that a file's extension stands for.
[[nodiscard]] std::string_view media_type_of(std::string_view name) noexcept;

/// `attachment` with the name in both forms of RFC 6266.
[[nodiscard]] std::string disposition_of(std::string_view name);

/// Answers a GET or HEAD of a file: 200, 206, 304, 412 or 416 (RFC 9110, 13
/// and 14).
[[nodiscard]] response file_answer(const request& req, const open_file& file,
                                   std::string_view name);

} // namespace troupe::net
