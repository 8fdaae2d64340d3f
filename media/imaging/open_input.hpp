#pragma once

#include "config/result.hpp"
#include "config/settings.hpp"
#include "media/imaging/work.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace troupe::media {

/// Another for every version of a file's bytes; the path alone where there is
/// none. Blocks.
[[nodiscard]] std::string identity_of_file(const std::string& path);

/// Opens a source that is a file, `local:///…` or `job:ID`. Its identity is
/// path (as `plain_source` has it), device, inode, size, and when bytes and
/// inode were changed, to the nanosecond. Blocks. Errors are those of
/// `open_local_source` and `open_result_source`.
/// @param job_result of the job that is the source
[[nodiscard]] result<std::shared_ptr<const image_input>>
open_input(const std::string& source, std::string_view job_result,
           const config::library_settings& library);

/// Whether the file is another than when it was opened.
[[nodiscard]] bool is_changed(const image_input& input);

/// A file of these bytes, without a name, in memory.
[[nodiscard]] result<descriptor> file_of(std::string_view bytes);

} // namespace troupe::media
