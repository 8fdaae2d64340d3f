#pragma once

#include "media/attempt.hpp"
#include "media/egress/proxy.hpp"
#include "media/tool/tool.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe::media {

/// What yt-dlp said on stderr, as far as it matters: its `ERROR:` lines and,
/// should it die of an exception, the last line of that. Bounded.
class error_lines {
public:
  void take(std::string_view line);
  [[nodiscard]] const std::vector<std::string>& all() const noexcept {
    return lines_;
  }

private:
  std::vector<std::string> lines_;
};

/// The code for one message of yt-dlp; `tool_failed` if none is known.
[[nodiscard]] errc code_of_message(std::string_view message);

/// Why a run of yt-dlp failed, from what it said, how it ended and what the
/// proxy saw; the proxy's word on refusals goes first. A 429 waits as long as
/// the source asked, or a minute.
[[nodiscard]] failure_report sort_failure(const error_lines& said,
                                          const tool_exit& exit,
                                          const egress_report& seen);

} // namespace troupe::media
