#pragma once

#include "config/result.hpp"
#include "media/descriptor.hpp"

#include <filesystem>
#include <span>
#include <string_view>

namespace troupe::media {

/// Opens the file of a source `local:///path`, percent-encoded as in a URL: the
/// first that is found beneath the media roots, in order. Symbolic links that
/// stay beneath their root are followed. Blocks.
///   bad_params        see `local_path_of`
///   source_not_found  beneath no root
///   source_forbidden  a link that leads out of its root
///   invalid_media     no regular file
[[nodiscard]] result<descriptor>
open_local_source(std::string_view source,
                  std::span<const std::filesystem::path> roots);

/// Opens the file that a job has made, the `path` of its result: beneath the
/// library, whatever the result says. Blocks.
///   source_not_found  the result names no file, or it is gone
///   source_forbidden  one outside the library
///   invalid_media     no regular file
[[nodiscard]] result<descriptor>
open_result_source(std::string_view result_json,
                   const std::filesystem::path& library);

} // namespace troupe::media
