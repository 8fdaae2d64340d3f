#include "media/download/command.hpp"

#include "media/download/output.hpp"
#include "media/download/selector.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <system_error>

namespace troupe::media {

namespace {

using words = std::vector<std::string>;

void add(words& to, std::initializer_list<std::string> more) {
  to.insert(to.end(), more);
}

/// What ffmpeg may take a downloaded file for. Playlists and scripts (hls,
/// dash, concat) are not among them: a file in disguise opens nothing else.
constexpr const char* ffmpeg_input_limits =
  "ffmpeg_i:-protocol_whitelist file,pipe,data,crypto -format_whitelist "
  "aac,ac3,aiff,asf,ass,avi,caf,eac3,ffmetadata,flac,flv,gif,image2,"
  "jpeg_pipe,matroska,mov,mp3,mpeg,mpegts,mpegvideo,mjpeg,ogg,png_pipe,srt,"
  "wav,webp_pipe,webvtt";

words common(const ytdlp_call& call) {
  auto argv = call.launcher;
  add(argv, {"--ignore-config", "--no-playlist", "--no-cache-dir",
             "--socket-timeout", "20", "--retries", "3", "--proxy", call.proxy,
             "--cookies", call.cookies});
  return argv;
}

void add_selection(words& argv, const std::string& selector,
                   const std::string& sort) {
  if (!selector.empty())
    add(argv, {"--format", selector});
  if (!sort.empty())
    add(argv, {"--format-sort", sort});
}

void add_container(words& argv, const download_params& params) {
  const std::string name{to_string(params.format)};
  switch (params.format) {
  case download_format::original:
    if (params.audio_only())
      add(argv, {"--extract-audio", "--audio-format", "best"});
    return;
  case download_format::mp4:
  case download_format::mkv:
  case download_format::webm:
    if (params.quality != "audio")
      return add(argv, {"--merge-output-format", name, "--remux-video", name});
    return add(argv, {"--remux-video", name});
  default:
    add(argv, {"--extract-audio", "--audio-format", name});
  }
}

void add_extras(words& argv, const download_params& params) {
  if (!params.subtitles.empty()) {
    std::string languages;
    for (const auto& language : params.subtitles)
      languages += (languages.empty() ? "" : ",") + language;
    add(argv, {"--write-subs", "--sub-langs", languages});
  }
  if (params.embed_subtitles)
    add(argv, {"--embed-subs"});
  if (params.embed_metadata)
    add(argv, {"--embed-metadata", "--no-embed-info-json"});
  if (params.embed_thumbnail)
    add(argv, {"--embed-thumbnail"});
  if (params.embed_chapters)
    add(argv, {"--embed-chapters"});
  else
    add(argv, {"--no-embed-chapters"});
}

std::string first_line(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  std::string first(256, '\0');
  file.read(first.data(), static_cast<std::streamsize>(first.size()));
  first.resize(static_cast<std::size_t>(file.gcount()));
  first.resize(std::min(first.find('\n'), first.size()));
  return first;
}

} // namespace

std::vector<std::string> launcher_of(const std::filesystem::path& yt_dlp,
                                     const std::filesystem::path& python) {
  const auto first = first_line(yt_dlp);
  if (!first.starts_with("#!") || first.find("python") == first.npos)
    return {yt_dlp.string()};
  // A virtual environment's script names the only Python that has its modules.
  const auto named = first.substr(2, first.find(' ') - 2);
  const bool own = named.starts_with('/') && named.find("python") != named.npos
                   && ::access(named.c_str(), X_OK) == 0;
  return {own ? named : python.string(), "-I", yt_dlp.string()};
}

std::vector<std::filesystem::path>
readable_for(const std::vector<std::string>& launcher) {
  std::vector<std::filesystem::path> paths;
  if (launcher.size() < 3 || launcher[1] != "-I")
    return paths;
  paths.emplace_back(launcher[2]);
  std::error_code bad;
  const std::filesystem::path python{launcher.front()};
  for (const auto& each : {python, std::filesystem::canonical(python, bad)}) {
    const auto prefix = each.parent_path().parent_path();
    if (!prefix.empty() && prefix != "/" && prefix != "/usr")
      paths.push_back(prefix);
  }
  return paths;
}

std::vector<std::string> extract_command(const ytdlp_call& call,
                                         const std::string& url,
                                         const std::string& selector,
                                         const std::string& sort,
                                         unsigned max_items) {
  auto argv = common(call);
  add(argv, {"--dump-single-json", "--flat-playlist", "--playlist-items",
             max_items == 1 ? "1" : "1:" + std::to_string(max_items)});
  add_selection(argv, selector, sort);
  add(argv, {"--", url});
  return argv;
}

std::vector<std::string> fetch_command(const ytdlp_call& call,
                                       const download_params& params,
                                       const std::string& info) {
  auto argv = common(call);
  add(argv,
      {"--playlist-items", "1", "--abort-on-unavailable-fragments",
       "--fragment-retries", "3", "--downloader", "dash,m3u8:native",
       "--newline", "--progress", "--progress-template",
       std::string{download_template}, "--progress-template",
       std::string{postprocess_template}, "--no-mtime", "--postprocessor-args",
       ffmpeg_input_limits, "--write-thumbnail", "--output", "media.%(ext)s"});
  if (!call.ffmpeg.empty())
    add(argv, {"--ffmpeg-location", call.ffmpeg});
  if (params.max_filesize > 0)
    add(argv, {"--max-filesize", std::to_string(params.max_filesize)});
  add_selection(argv, selector_of(params), sort_order_of(params.format));
  add_container(argv, params);
  add_extras(argv, params);
  add(argv, {"--load-info-json", info});
  return argv;
}

std::vector<std::string> ytdlp_environment() {
  return {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8",
          "YTDLP_NO_PLUGINS=1"};
}

} // namespace troupe::media
