#include "media/download/selector.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace troupe::media {

namespace {

constexpr std::array<std::string_view, 6> heights{"2160p", "1440p", "1080p",
                                                  "720p",  "480p",  "360p"};

/// Calls `use` with each run of letters, digits and underscores.
template <class Use>
bool any_word(std::string_view text, Use use) {
  const auto in_word = [](unsigned char c) {
    return std::isalnum(c) || c == '_';
  };
  for (std::size_t at = 0; at < text.size();) {
    const auto end = static_cast<std::size_t>(
      std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(at),
                       text.end(), in_word)
      - text.begin());
    if (use(text.substr(at, end - at)))
      return true;
    at = end + 1;
  }
  return false;
}

/// What ffmpeg writes into WebM, and what it writes into MP4.
constexpr std::array<std::string_view, 5> in_webm{"vp8", "vp9", "av1", "vorbis",
                                                  "opus"};
constexpr std::array<std::string_view, 18> in_mp4{
  "h264",       "hevc",  "av1",  "vp9",  "mpeg4", "mpeg2video",
  "mpeg1video", "mjpeg", "vc1",  "aac",  "mp3",   "opus",
  "mp2",        "ac3",   "eac3", "flac", "alac",  "vorbis"};

bool holds(download_format container, std::string_view codec) {
  if (container == download_format::webm)
    return std::ranges::find(in_webm, codec) != in_webm.end();
  if (container == download_format::mp4)
    return std::ranges::find(in_mp4, codec) != in_mp4.end();
  return true;
}

} // namespace

std::string unfit_codec(download_format container, const media_facts& facts) {
  if (facts.video && !holds(container, facts.video->codec))
    return facts.video->codec;
  if (facts.audio && !holds(container, facts.audio->codec))
    return facts.audio->codec;
  return {};
}

result<void> check_quality(std::string_view quality) {
  if (quality.empty() || quality.size() > 300)
    return fail(errc::bad_selector, "quality is empty or too long");
  const bool plain = std::ranges::all_of(
    quality, [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
  if (!plain || quality.front() == '-')
    return fail(errc::bad_selector, "quality has characters that none has");
  const bool many = any_word(quality, [](std::string_view word) {
    return word == "all" || word == "mergeall";
  });
  if (many || quality.find(',') != quality.npos)
    return fail(errc::bad_selector, "quality asks for more than one file");
  return {};
}

std::string selector_of(const download_params& params) {
  if (params.quality == "audio")
    return "ba/b";
  const auto& quality = params.quality;
  if (quality == "best")
    return params.audio_only() ? "ba/b" : "bv*+ba/b";
  if (std::ranges::find(heights, quality) == heights.end())
    return quality;
  if (params.audio_only())
    return "ba/b";
  const auto limit = "[height<=?" + quality.substr(0, quality.size() - 1) + "]";
  return "bv*" + limit + "+ba/b" + limit + "/wv*+ba/w";
}

std::string sort_order_of(download_format format) {
  switch (format) {
  case download_format::mp4:
    return "res,fps,ext:mp4:m4a";
  case download_format::webm:
    return "res,fps,ext:webm:webm";
  case download_format::m4a:
    return "acodec:aac";
  case download_format::opus:
    return "acodec:opus";
  default:
    return {};
  }
}

} // namespace troupe::media
