#pragma once

#include "config/result.hpp"
#include "media/attempt.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace troupe::media {

/// What came of publishing a manifest.
struct publish_outcome {
  std::string result; ///< names the files by the paths that they really got
  /// Not empty: a name was taken by a foreign file. Nothing of these was
  /// linked yet; reserve this manifest in the store, then publish again.
  std::vector<staged_file> renamed;
};

/// Gives committed files their final names, main file last: `linkat`, which
/// never overwrites, and fsync of the folder; RENAME_NOREPLACE where hard
/// links are missing; a plain rename where `replace` was asked for. A file that
/// is already there by inode, or by size and hash, is ours; if that is the main
/// file, whatever stands at a side file's name is left as it is. Blocks. May be
/// repeated after a crash at any point, by any process.
/// @param result_json fields equal to a `final_path` follow its renaming.
[[nodiscard]] result<publish_outcome>
publish(std::string result_json, const std::vector<staged_file>& manifest);

/// What tells one library from another at the same path, made when it is first
/// asked for. Blocks.
/// @return empty if it can be neither read nor written
[[nodiscard]] std::string library_id(const std::filesystem::path& library);

/// The same, never made; empty if there is none. Blocks.
[[nodiscard]] std::string
known_library_id(const std::filesystem::path& library);

/// `{library}/.troupe/{id}.{epoch}`: where one attempt stages its results.
[[nodiscard]] std::filesystem::path
staging_folder(const std::filesystem::path& library, const std::string& id,
               std::uint64_t epoch);

/// `{library}/.troupe/{id}.work`: what attempts of one job continue from.
[[nodiscard]] std::filesystem::path
work_folder(const std::filesystem::path& library, const std::string& id);

/// Removes one attempt's staging folder; blocks; a missing one is fine.
void discard_staging(const std::filesystem::path& library,
                     const std::string& id, std::uint64_t epoch);

/// Removes everything that a job that ended left below `.troupe`.
void discard_job(const std::filesystem::path& library, const std::string& id);

} // namespace troupe::media
