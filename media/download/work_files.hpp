#pragma once

#include "config/result.hpp"
#include "media/download/source_state.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// The files of one job's work folder. All of this blocks: for file threads.
///
///     lock            held by the tool guard
///     info.json       what the extract step found, for the fetch step
///     cookies.txt     0600, this attempt's copy; removed at its end
///     media.*         yt-dlp's: parts, whole streams, thumbnail, subtitles
namespace troupe::media::work {

[[nodiscard]] std::filesystem::path lock_of(const std::filesystem::path& work);
[[nodiscard]] std::filesystem::path info_of(const std::filesystem::path& work);
[[nodiscard]] std::filesystem::path
cookies_of(const std::filesystem::path& work);

/// Makes the folder and a private cookie file: a copy of `cookies` (a regular
/// file, no link; `bad_params` if it cannot be had), or an empty one that
/// carries cookies from the extract step to the fetch step.
[[nodiscard]] result<void> prepare(const std::filesystem::path& work,
                                   const std::filesystem::path& cookies);

/// Drops what cannot be continued: everything, unless `keep`; else all but
/// parts, whole streams that wait to be merged, and a lone whole file that has
/// the length its source tells (a half-made conversion has another).
/// @param lone_length of the only format; -1: unknown, or more than one.
/// @return true if something is left to go on from.
bool drop_parts(const std::filesystem::path& work, bool keep,
                std::int64_t lone_length);

/// What a finished fetch left.
struct found_files {
  std::filesystem::path media; ///< empty: none
  std::filesystem::path thumbnail;
  std::vector<std::filesystem::path> subtitles;
  std::vector<std::filesystem::path> streams; ///< whole, but not yet merged
  bool unfinished = false;                    ///< a `.part` or `.ytdl` is left
};
[[nodiscard]] found_files find(const std::filesystem::path& work);

/// True if a file that nobody knows begins like a web page.
[[nodiscard]] bool looks_like_html(const std::filesystem::path& file);

} // namespace troupe::media::work
