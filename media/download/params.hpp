#pragma once

#include "config/result.hpp"
#include "media/errc.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::media {

/// What the published file is to be. `original` leaves the source's bytes as
/// they are (two streams are merged, never encoded anew); mp4, mkv and webm
/// change the container only; mp3, m4a and opus take the sound and may encode
/// it anew, since that is what was asked for.
enum class download_format { original, mp4, mkv, webm, mp3, m4a, opus };

/// What to do about a file that has the name already.
enum class if_exists_rule { skip, replace, keep_both };

/// The params of a `download` job, defaults filled in.
struct download_params {
  std::string url;
  std::string quality = "best";
  download_format format = download_format::original;
  std::vector<std::string> subtitles;
  bool embed_metadata = false;
  bool embed_thumbnail = false;
  bool embed_chapters = false;
  bool embed_subtitles = false;
  std::string filename = "{uploader}/{title} [{id}].{ext}";
  if_exists_rule if_exists = if_exists_rule::keep_both;
  std::uint64_t rate_limit = 0;   ///< bytes per second; 0: none
  std::uint64_t max_filesize = 0; ///< bytes; 0: none
  std::string cookies;            ///< a name in tools.cookies_dir, or empty
  std::string sha256;             ///< lower-case hex, or empty

  /// True if only sound is wanted.
  [[nodiscard]] bool audio_only() const noexcept;
};

/// Reads params that the schema let through and checks what no schema can say.
/// `bad_params`, `bad_selector` or `unsupported_url`, with the reason.
[[nodiscard]] result<download_params>
read_download_params(std::string_view json);

/// yt-dlp's word for a format, such as "mp4"; empty for `original`.
[[nodiscard]] std::string_view to_string(download_format format) noexcept;

/// True for mp4, mkv and webm: the streams stay as they are.
[[nodiscard]] bool changes_container(download_format format) noexcept;

/// The lower-case host of an http(s) URL; empty if it is none.
[[nodiscard]] std::string host_of_url(std::string_view url);

} // namespace troupe::media
