#pragma once

#include "config/result.hpp"
#include "media/download/file_name.hpp"
#include "media/download/meter.hpp"
#include "media/errc.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::media {

/// One stream or file that yt-dlp chose to fetch.
struct chosen_format {
  std::string id;
  std::string url;
  std::string protocol; ///< "https", "m3u8_native", …
  std::int64_t size = -1;
  std::vector<std::pair<std::string, std::string>> headers;

  /// True if it comes as one resource, false if in fragments.
  [[nodiscard]] bool plain() const noexcept;
};

/// What the extract step found out about one medium.
struct source_info {
  std::string title;
  std::string id;
  std::string uploader;
  std::string webpage_url;
  std::string ext; ///< what yt-dlp expects; the file itself may say otherwise
  double duration_s = 0;
  std::vector<chosen_format> formats;
  name_fields names; ///< `ext` still empty
  std::string raw;   ///< for yt-dlp's `--load-info-json`
  /// Set if the URL led to a list with this one entry: look there instead.
  std::string only_entry;
};

/// Reads what `--dump-single-json` printed. `is_playlist`, `is_live`,
/// `unsupported_url` (a protocol that would pass by our
/// proxy), `tool_failed` for what cannot be read.
[[nodiscard]] result<source_info> read_source_info(std::string_view json);

/// The same JSON with an `If-Range` header on each plain format whose strong
/// ETag is known, so that yt-dlp never joins halves of two versions.
/// @param etags format id and ETag, as pairs.
[[nodiscard]] std::string
with_if_range(std::string_view json,
              const std::vector<std::pair<std::string, std::string>>& etags);

/// What is kept beside a published file: the description without addresses
/// that expire, cookies and what changes from one look to the next.
[[nodiscard]] std::string lasting_info(std::string_view json);

/// The answer of `POST /v1/extract`: title, duration, thumbnail, formats and
/// entries, each list bounded to 1,000.
[[nodiscard]] result<std::string> extract_answer(std::string_view json);

} // namespace troupe::media
