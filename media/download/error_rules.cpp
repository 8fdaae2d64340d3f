#include "media/download/error_rules.hpp"

#include "config/text.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace troupe::media {

namespace {

struct rule {
  std::string_view words; ///< lower case; any of it in the message
  errc code;
};

/// The first that matches decides, so the narrower stand above the wider.
constexpr std::array rules{
  rule{"file too large", errc::too_large},
  rule{"no space left on device", errc::disk_full},
  rule{"disk quota exceeded", errc::disk_full},
  rule{"read-only file system", errc::io_error},
  rule{"ffmpeg is not installed", errc::tool_missing},
  rule{"ffmpeg not found", errc::tool_missing},
  rule{"ffprobe and ffmpeg not found", errc::tool_missing},

  rule{"requested format is not available", errc::bad_selector},
  rule{"invalid format specification", errc::bad_selector},
  rule{"invalid filter specification", errc::bad_selector},

  rule{"drm protect", errc::drm_protected},
  rule{"drm-protect", errc::drm_protected},
  rule{"use drm", errc::drm_protected},
  rule{"in your country", errc::geo_blocked},
  rule{"geo restrict", errc::geo_blocked},
  rule{"geo-restrict", errc::geo_blocked},
  rule{"from your location", errc::geo_blocked},
  rule{"http error 451", errc::geo_blocked},

  rule{"live event will begin", errc::is_live},
  rule{"premieres in", errc::is_live},
  rule{"live hls streams are not supported", errc::is_live},
  rule{"is not currently live", errc::source_unavailable},

  rule{"fragment not found", errc::incomplete},
  rule{"not found, unable to continue", errc::incomplete},
  rule{"unable to download fragment", errc::incomplete},
  rule{"the downloaded file is empty", errc::incomplete},

  rule{"http error 429", errc::rate_limited},
  rule{"too many requests", errc::rate_limited},
  rule{"rate-limited", errc::rate_limited},
  rule{"rate limit", errc::rate_limited},

  rule{"http error 404", errc::source_not_found},
  rule{"http error 410", errc::source_not_found},
  rule{"has been removed", errc::source_not_found},
  rule{"been terminated", errc::source_not_found},
  rule{"no longer available", errc::source_not_found},
  rule{"does not exist", errc::source_not_found},
  rule{"video not found", errc::source_not_found},
  rule{"private video", errc::source_private},
  rule{"is private", errc::source_private},
  rule{"sign in to confirm", errc::source_private},
  rule{"members-only", errc::source_private},
  rule{"join this channel", errc::source_private},
  rule{"requires payment", errc::source_private},
  rule{"premium members", errc::source_private},
  rule{"login required", errc::source_private},
  rule{"account is required", errc::source_private},
  rule{"only available for registered users", errc::source_private},
  rule{"use --cookies", errc::source_private},
  rule{"http error 401", errc::source_private},
  rule{"http error 402", errc::source_private},
  rule{"http error 403", errc::source_private},
  rule{"video unavailable", errc::source_not_found},
  rule{"video is unavailable", errc::source_not_found},
  rule{"video is not available", errc::source_not_found},

  rule{"unsupported url", errc::unsupported_url},
  rule{"is not a valid url", errc::unsupported_url},
  rule{"no video formats found", errc::unsupported_url},
  rule{"unsupported url scheme", errc::unsupported_url},
  rule{"there's no video in this", errc::unsupported_url},

  rule{"http error 5", errc::source_unavailable},
  rule{"http error 4", errc::source_unavailable},
  rule{"timed out", errc::source_unavailable},
  rule{"timeout", errc::source_unavailable},
  rule{"connection reset", errc::source_unavailable},
  rule{"connection refused", errc::source_unavailable},
  rule{"connection aborted", errc::source_unavailable},
  rule{"broken pipe", errc::source_unavailable},
  rule{"closed connection", errc::source_unavailable},
  rule{"network is unreachable", errc::source_unavailable},
  rule{"no route to host", errc::source_unavailable},
  rule{"name resolution", errc::source_unavailable},
  rule{"name or service not known", errc::source_not_found},
  rule{"tunnel connection failed", errc::source_unavailable},
  rule{"bad gateway", errc::source_unavailable},
  rule{"incompleteread", errc::source_unavailable},
  rule{"content too short", errc::source_unavailable},
  rule{"did not get any data blocks", errc::source_unavailable},
  rule{" bytes, expected ", errc::source_unavailable},
  rule{"more expected", errc::source_unavailable},
  rule{"<urlopen error [ssl", errc::source_unavailable},
  rule{"ssl: ", errc::source_unavailable},
  rule{"eof occurred in violation", errc::source_unavailable},
};

constexpr std::size_t most_lines = 20;
constexpr std::size_t longest_line = 600;
constexpr double pause_after_429_s = 60;

/// Without yt-dlp's own advice, which means nothing to a user of ours.
std::string tidy(std::string_view message) {
  for (const std::string_view advice :
       {"; please report this issue", ". Use --list-formats", " (caused by",
        ". Confirm you are on the latest version"})
    message = message.substr(0, message.find(advice));
  if (message.starts_with("ERROR: "))
    message.remove_prefix(7);
  return std::string{message};
}

/// The line that says most: the first whose code is known, a missing fragment
/// before the status that made it miss.
std::pair<errc, std::string> worst_of(const std::vector<std::string>& lines) {
  std::pair<errc, std::string> found{errc::tool_failed, ""};
  for (const auto& line : lines) {
    const auto code = code_of_message(line);
    if (found.second.empty() || found.first == errc::tool_failed
        || code == errc::incomplete)
      found = {code, tidy(line)};
  }
  return found;
}

/// The proxy answers 502 for a source that it cannot reach, and yt-dlp tells
/// no more; so does a source whose own gateway fails, which the proxy sees over
/// plain HTTP.
bool is_unreached(const egress_report& seen, std::string_view message) {
  const auto text = config::lower(message);
  return seen.unreached != errc::none && seen.last_error_status != 502
         && (text.find("http error 502") != text.npos
             || text.find("bad gateway") != text.npos);
}

bool passing_loss(errc code) {
  return code == errc::source_unavailable || code == errc::tool_failed
         || code == errc::source_not_found || code == errc::incomplete;
}

} // namespace

void error_lines::take(std::string_view line) {
  while (!line.empty() && (line.front() == '\r' || line.front() == ' '))
    line.remove_prefix(1);
  const bool tells = line.starts_with("ERROR:")
                     || line.find("Error: ") != line.npos
                     || line.starts_with("yt-dlp: error:");
  if (tells && lines_.size() < most_lines)
    lines_.emplace_back(line.substr(0, longest_line));
}

errc code_of_message(std::string_view message) {
  const auto text = config::lower(message);
  for (const auto& each : rules)
    if (text.find(each.words) != text.npos)
      return each.code;
  return errc::tool_failed;
}

failure_report sort_failure(const error_lines& said, const tool_exit& exit,
                            const egress_report& seen) {
  if (seen.refused != errc::none)
    return {seen.refused, seen.refused_detail, 0};
  auto [code, message] = worst_of(said.all());
  if (is_unreached(seen, message))
    return {seen.unreached, seen.last_failure, 0};
  if (said.all().empty() && exit.signal != 0)
    return {errc::tool_crashed,
            "yt-dlp died by signal " + std::to_string(exit.signal), 0};
  if (message.empty())
    message = "yt-dlp ended with code " + std::to_string(exit.status);
  // Over plain HTTP the proxy saw what yt-dlp may have put otherwise.
  if (seen.last_error_status == 429 && passing_loss(code))
    code = errc::rate_limited;
  double wait = 0;
  if (code == errc::rate_limited)
    wait = seen.retry_after_s > 0 ? seen.retry_after_s : pause_after_429_s;
  else if (code == errc::source_unavailable)
    wait = seen.retry_after_s;
  return {code, std::move(message), wait};
}

} // namespace troupe::media
