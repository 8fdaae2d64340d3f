#pragma once

#include "config/settings.hpp"
#include "media/tool/tool.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::media {

/// One program as `troupe doctor` tells of it.
struct tool_health {
  std::string name;    ///< "yt-dlp", "ffmpeg", "troupe-codec"
  std::string path;    ///< empty: missing
  std::string version; ///< empty: it does not say
  std::string advice;  ///< what to do; empty: nothing
  bool usable = false; ///< downloads can do without advice being followed
};

/// The date in a version of yt-dlp, such as 2023.03.04 or 2025.01.15.1.
[[nodiscard]] std::optional<std::chrono::year_month_day>
date_of_version(std::string_view version);

/// How old a yt-dlp of this version is; what sites show changes within weeks.
/// @return advice when older than 60 days, else nothing.
[[nodiscard]] std::string advice_on_age(std::string_view version,
                                        std::chrono::sys_days today);

/// Looks at every program that downloads need; runs `--version` of each. Blocks
/// for some seconds at most. Not on a thread of `threads`.
/// @param codec where `troupe-codec` should be.
[[nodiscard]] std::vector<tool_health>
check_tools(const config::tool_settings& tools, runtime& threads,
            tool_runner& runner, const std::filesystem::path& codec);

} // namespace troupe::media
