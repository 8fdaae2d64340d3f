#pragma once

#include "config/result.hpp"

#include <filesystem>
#include <string_view>

namespace troupe::media {

/// How sources below a media root begin.
inline constexpr std::string_view local_scheme = "local:///";

/// The path of a source `local:///path`, percent-decoded, relative to a media
/// root. Looks at the text alone. `bad_params` for one that could mean another
/// place, or no file; the detail says what it must be.
[[nodiscard]] result<std::filesystem::path>
local_path_of(std::string_view source);

/// The same of a folder: it may be a root itself, and end with a slash.
[[nodiscard]] result<std::filesystem::path>
local_folder_of(std::string_view source);

/// The folder of `local:///folder/*.jpg`.
[[nodiscard]] std::string_view folder_of_glob(std::string_view glob);

} // namespace troupe::media
