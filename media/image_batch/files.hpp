#pragma once

#include "config/result.hpp"
#include "config/settings.hpp"
#include "media/image_batch/params.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::media {

/// The sources of a batch: those that were given, or the regular files of its
/// folder by name, as they were when the first attempt looked (kept in
/// `{work}/sources`). Blocks.
[[nodiscard]] result<std::vector<std::string>>
list_sources(const batch_params& params, const std::filesystem::path& work,
             const config::library_settings& library);

/// The first `count` lines that `add_lines` wrote; later ones are dropped. None
/// if there are fewer: what an ended job leaves is removed, so one that is
/// tried again begins anew. Blocks.
[[nodiscard]] result<std::vector<std::string>>
known_lines(const std::filesystem::path& work, std::size_t count);

/// Adds to `{work}/lines`; not synced. Blocks.
[[nodiscard]] result<void> add_lines(const std::filesystem::path& work,
                                     std::string_view lines);

/// Writes a file that is whole or not there, not synced. Blocks.
[[nodiscard]] result<void> write_whole(const std::filesystem::path& file,
                                       std::string_view bytes);

/// A batch's file that is published when it has succeeded.
inline constexpr std::string_view batch_index = "images.jsonl";

/// Removes the images of a job that has ended otherwise, if it is a batch.
/// Blocks.
void discard_batch(const std::filesystem::path& library, const std::string& id);

/// Makes all that was written to that file system last. Blocks.
[[nodiscard]] result<void> sync_all(const std::filesystem::path& folder);

} // namespace troupe::media
