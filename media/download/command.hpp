#pragma once

#include "media/download/params.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace troupe::media {

/// What every call of yt-dlp has in common.
struct ytdlp_call {
  std::vector<std::string> launcher; ///< yt-dlp itself, or Python and it
  std::string ffmpeg;                ///< absolute path; empty: none
  std::string proxy;                 ///< our own, for all its traffic
  std::string cookies;               ///< a Netscape cookie file to use and keep
};

/// How yt-dlp is started: by itself, or by an isolated Python (`-I`: no user
/// site, no PYTHON* variables, nothing from the working folder) where it is a
/// Python script: the one that the script names, else `python`. Reads the
/// file's first line.
[[nodiscard]] std::vector<std::string>
launcher_of(const std::filesystem::path& yt_dlp,
            const std::filesystem::path& python);

/// What that launcher has to read besides /usr: the script, and the home of a
/// Python that lies elsewhere.
[[nodiscard]] std::vector<std::filesystem::path>
readable_for(const std::vector<std::string>& launcher);

/// Looks at a URL: one line of JSON on stdout, nothing is fetched.
[[nodiscard]] std::vector<std::string>
extract_command(const ytdlp_call& call, const std::string& url,
                const std::string& selector, const std::string& sort,
                unsigned max_items);

/// Fetches what `info` (a file that an extract step left) describes, into
/// `media.*` of its working folder.
[[nodiscard]] std::vector<std::string>
fetch_command(const ytdlp_call& call, const download_params& params,
              const std::string& info);

/// All that yt-dlp finds in its environment.
[[nodiscard]] std::vector<std::string> ytdlp_environment();

} // namespace troupe::media
