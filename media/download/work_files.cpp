#include "media/download/work_files.hpp"

#include "config/text.hpp"
#include "media/descriptor.hpp"
#include "media/errc.hpp"
#include "media/files/sync.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <fstream>
#include <utility>

namespace troupe::media::work {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view no_cookies = "# Netscape HTTP Cookie File\n";
constexpr std::size_t most_cookies = 1u << 20;

constexpr std::array<std::string_view, 5> image_endings{".jpg", ".jpeg", ".png",
                                                        ".webp", ".gif"};
constexpr std::array<std::string_view, 9> subtitle_endings{
  ".vtt", ".srt", ".ass", ".ssa", ".ttml", ".srv1", ".srv2", ".srv3", ".lrc"};

template <class Names>
bool among(const Names& names, const std::string& ending) {
  return std::ranges::find(names, ending) != names.end();
}

bool is_part(const std::string& name) {
  return name.ends_with(".part") || name.ends_with(".ytdl")
         || name.find(".part-Frag") != name.npos;
}

/// `media.f137.mp4`: one of several streams; it got that name when whole.
bool is_stream(const std::string& name) {
  return name.starts_with("media.f") && std::ranges::count(name, '.') >= 2
         && !is_part(name);
}

bool is_temporary(const std::string& name) {
  return name.find(".temp.") != name.npos || name.ends_with(".meta")
         || name.ends_with(".temp");
}

/// Names of plain files that begin with `media.`
std::vector<fs::path> media_files(const fs::path& work) {
  std::vector<fs::path> files;
  std::error_code bad;
  for (const auto& entry : fs::directory_iterator{work, bad}) {
    const bool plain = fs::is_regular_file(entry.symlink_status(bad));
    if (plain && entry.path().filename().string().starts_with("media."))
      files.push_back(entry.path());
  }
  return files;
}

/// Opened without following a link, read while it is small.
result<std::string> read_cookies(const fs::path& file) {
  const auto refuse = [&file] {
    return fail(errc::bad_params,
                "no such cookies: " + file.filename().string());
  };
  const descriptor in{
    ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
  struct stat facts {};
  if (!in || ::fstat(in.get(), &facts) != 0 || !S_ISREG(facts.st_mode)
      || facts.st_size > static_cast<off_t>(most_cookies))
    return refuse();
  std::string content(static_cast<std::size_t>(facts.st_size), '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const auto got = ::read(in.get(), &content[size], content.size() - size);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return file_failure(file);
    if (got == 0)
      break;
    size += static_cast<std::size_t>(got);
  }
  content.resize(size);
  return content;
}

} // namespace

fs::path lock_of(const fs::path& work) {
  return work / "lock";
}
fs::path info_of(const fs::path& work) {
  return work / "info.json";
}
fs::path cookies_of(const fs::path& work) {
  return work / "cookies.txt";
}

result<void> prepare(const fs::path& work, const fs::path& cookies) {
  std::error_code bad;
  fs::create_directories(work, bad);
  if (bad)
    return file_failure(work, bad.value());
  std::string content{no_cookies};
  if (!cookies.empty()) {
    auto read = read_cookies(cookies);
    if (!read)
      return read.error();
    content = std::move(*read);
  }
  fs::remove(cookies_of(work), bad);
  return write_file_synced(cookies_of(work), content, 0600);
}

bool drop_parts(const fs::path& work, bool keep, std::int64_t lone_length) {
  bool left = false;
  for (const auto& file : media_files(work)) {
    const auto name = file.filename().string();
    std::error_code bad;
    const auto size = static_cast<std::int64_t>(fs::file_size(file, bad));
    const bool whole = lone_length > 0 && size == lone_length;
    if (keep && !is_temporary(name)
        && (is_part(name) || is_stream(name) || whole))
      left = true;
    else
      fs::remove(file, bad);
  }
  return left;
}

found_files find(const fs::path& work) {
  found_files found;
  std::uintmax_t largest = 0;
  for (const auto& file : media_files(work)) {
    const auto name = file.filename().string();
    const auto ending = config::lower(file.extension().string());
    std::error_code bad;
    const auto size = fs::file_size(file, bad);
    if (is_part(name)) {
      found.unfinished = true;
    } else if (among(subtitle_endings, ending)) {
      found.subtitles.push_back(file);
    } else if (among(image_endings, ending)) {
      found.thumbnail = file;
    } else if (is_stream(name)) {
      found.streams.push_back(file);
    } else if (!is_temporary(name) && size > largest) {
      found.media = file;
      largest = size;
    }
  }
  std::ranges::sort(found.subtitles);
  // No thumbnail comes as one, but a short animation does.
  if (found.media.empty() && found.streams.empty() && !found.unfinished
      && config::lower(found.thumbnail.extension().string()) == ".gif")
    found.media = std::exchange(found.thumbnail, {});
  return found;
}

bool looks_like_html(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  std::string head(256, '\0');
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(in.gcount()));
  head = config::lower(head);
  const auto at = head.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  if (at == head.npos)
    return false;
  const auto text = std::string_view{head}.substr(at);
  return text.starts_with("<!doctype html") || text.starts_with("<html");
}

} // namespace troupe::media::work
