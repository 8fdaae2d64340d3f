#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace troupe::media {

/// What we ask yt-dlp to print on each progress: our mark and one object a
/// line. A postprocessor's object is printed without an end of its line, and no
/// template can hold one.
inline constexpr std::string_view download_template =
  "download:[troupe-download]{\"format\":%(info.format_id)j,"
  "\"progress\":%(progress.{status,downloaded_bytes,total_bytes,"
  "total_bytes_estimate,speed,eta,fragment_index,fragment_count})j}";
inline constexpr std::string_view postprocess_template =
  "postprocess:[troupe-postprocess]"
  "%(progress.{status,postprocessor})j";

/// One format's bytes so far. Sizes are -1 where yt-dlp knows none.
struct fetch_line {
  std::string format;
  std::int64_t done = 0; ///< with what an earlier attempt left
  std::int64_t total = -1;
  std::int64_t estimate = -1; ///< of the total, from fragments
  double rate = 0;            ///< bytes per second; 0: unknown
  bool complete = false;
};

/// A postprocessor began or ended, such as "Merger".
struct postprocess_line {
  std::string name;
  bool started = false;
};

/// Words of yt-dlp's own that change what we do.
enum class remark {
  resumed,  ///< goes on from bytes of an earlier attempt or connection
  too_large ///< gave up for `--max-filesize`, with exit code 0
};

using output_event =
  std::variant<std::monostate, fetch_line, postprocess_line, remark>;

/// Reads one line of yt-dlp's output; `monostate` for what we need not know,
/// which includes anything malformed.
[[nodiscard]] output_event read_output_line(std::string_view line);

} // namespace troupe::media
