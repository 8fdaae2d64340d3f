#include "net/job_files.hpp"

#include "media/descriptor.hpp"
#include "media/errc.hpp"
#include "media/files/library_root.hpp"
#include "net/byte_range.hpp"
#include "net/problem.hpp"
#include "net/validators.hpp"

#include <boost/json/parse.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <random>

namespace troupe::net {

namespace {

namespace fs = std::filesystem;

failure no_file(const fs::path& file) {
  return fail(media::errc::source_not_found, file.filename().string());
}

/// The folder of `file` relative to the library; nothing if it lies outside.
std::optional<fs::path> folder_within(const fs::path& library,
                                      const fs::path& file) {
  const auto base = library.lexically_normal();
  const auto whole =
    (file.is_absolute() ? file : base / file).lexically_normal();
  const auto within = whole.lexically_relative(base);
  if (within.empty() || *within.begin() == ".." || !within.has_filename())
    return std::nullopt;
  return within.parent_path();
}

std::string etag_of(const struct stat& of) {
  return '"' + std::to_string(of.st_ino) + '-' + std::to_string(of.st_size)
         + '-' + std::to_string(of.st_mtim.tv_sec) + '.'
         + std::to_string(of.st_mtim.tv_nsec) + '"';
}

/// Subtitles, which no result names, lie beside the main file.
bool is_subtitle_of(const fs::path& main, std::string_view name) {
  static constexpr std::array<std::string_view, 6> endings{
    ".vtt", ".srt", ".ass", ".ssa", ".ttml", ".lrc"};
  const auto ends = [name](std::string_view ending) {
    return name.ends_with(ending);
  };
  return name.starts_with(main.stem().string() + '.')
         && name.find('/') == name.npos && std::ranges::any_of(endings, ends);
}

bool is_token_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
         || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_';
}

std::string content_range(const byte_range& range, std::uint64_t size) {
  return "bytes " + std::to_string(range.offset) + '-'
         + std::to_string(range.offset + range.length - 1) + '/'
         + std::to_string(size);
}

/// Its boundary, which no file can know before.
const std::string& multipart_type() {
  static const std::string type = [] {
    std::random_device source;
    std::string out = "multipart/byteranges; boundary=troupe-";
    for (int i = 0; i < 4; ++i)
      out += std::to_string(source());
    return out;
  }();
  return type;
}

/// `multipart/byteranges` (RFC 9110, 14.6).
void add_parts(response& out, const std::vector<byte_range>& ranges,
               std::uint64_t size) {
  const auto& type = multipart_type();
  const auto boundary = "\r\n--" + type.substr(type.find('=') + 1);
  for (const auto& each : ranges) {
    auto head = boundary + "\r\nContent-Type: ";
    head.append(out.content_type).append("\r\nContent-Range: ");
    head += content_range(each, size) + "\r\n\r\n";
    out.parts.push_back({std::move(head), each.offset, each.length});
  }
  out.body = boundary + "--\r\n";
  out.content_type = type;
}

void add_content(response& out, const request& req, const open_file& file) {
  const auto& fields = req.headers;
  const bool fresh = fields.if_range.empty() || fields.if_range == file.etag;
  std::vector<byte_range> ranges;
  // Ranges are for GET alone (RFC 9110, 14.2).
  const auto verdict = fresh && req.method == verb::get
                         ? read_ranges(fields.range, file.size, ranges)
                         : range_verdict::whole;
  out.file = {file.fd, 0, file.size};
  if (verdict == range_verdict::whole)
    return;
  if (verdict == range_verdict::unsatisfiable) {
    out = answer(
      {problem_code::range_not_satisfiable, "no such range of the file"});
    out.headers.emplace_back("Content-Range",
                             "bytes */" + std::to_string(file.size));
    return;
  }
  out.status = 206;
  if (ranges.size() > 1)
    return add_parts(out, ranges, file.size);
  const auto& only = ranges.front();
  out.file = {file.fd, only.offset, only.length};
  out.headers.emplace_back("Content-Range", content_range(only, file.size));
}

} // namespace

std::optional<fs::path> result_file(std::string_view result,
                                    std::string_view name) {
  boost::system::error_code error;
  const auto read = boost::json::parse({result.data(), result.size()}, error);
  if (error || !read.is_object())
    return std::nullopt;
  std::optional<fs::path> main;
  for (const auto* member : {"path", "thumbnail", "info_json"}) {
    const auto* value = read.get_object().if_contains(member);
    if (!value || !value->is_string())
      continue;
    fs::path file{std::string{value->get_string()}};
    if (file.filename() == fs::path{name})
      return file;
    if (!main)
      main = std::move(file);
  }
  if (main && is_subtitle_of(*main, name))
    return main->parent_path() / name;
  return std::nullopt;
}

result<open_file> open_in_library(const fs::path& library,
                                  const fs::path& file) {
  const auto within = folder_within(library, file);
  if (!within)
    return no_file(file);
  const auto root = media::library_root::open(library);
  if (!root)
    return root.error();
  const auto folder = root->folder(*within);
  if (!folder || !*folder)
    return no_file(file);
  media::descriptor opened{
    ::openat(folder->get(), file.filename().c_str(),
             O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
  struct stat is {};
  if (!opened || ::fstat(opened.get(), &is) != 0 || !S_ISREG(is.st_mode))
    return no_file(file);
  auto shared = std::make_shared<media::descriptor>(std::move(opened));
  return open_file{std::move(shared), static_cast<std::uint64_t>(is.st_size),
                   etag_of(is)};
}

std::string_view media_type_of(std::string_view name) noexcept {
  struct entry {
    std::string_view extension, type;
  };
  static constexpr std::array types{
    entry{".mp4", "video/mp4"},   entry{".mkv", "video/x-matroska"},
    entry{".webm", "video/webm"}, entry{".mp3", "audio/mpeg"},
    entry{".m4a", "audio/mp4"},   entry{".opus", "audio/ogg"},
    entry{".ogg", "audio/ogg"},   entry{".flac", "audio/flac"},
    entry{".wav", "audio/wav"},   entry{".mov", "video/quicktime"},
    entry{".ts", "video/mp2t"},   entry{".jpg", "image/jpeg"},
    entry{".jpeg", "image/jpeg"}, entry{".png", "image/png"},
    entry{".webp", "image/webp"}, entry{".json", "application/json"},
    entry{".vtt", "text/vtt"},    entry{".srt", "application/x-subrip"},
  };
  const auto at = std::ranges::find_if(types, [name](const entry& each) {
    return name.ends_with(each.extension);
  });
  return at == types.end() ? "application/octet-stream" : at->type;
}

std::string disposition_of(std::string_view name) {
  static constexpr std::string_view hex = "0123456789ABCDEF";
  std::string plain;
  std::string encoded;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool safe = is_token_char(c);
    plain += safe || c == ' ' || c == '[' || c == ']' ? c : '_';
    if (safe)
      encoded += c;
    else
      encoded.append({'%', hex[byte >> 4], hex[byte & 15]});
  }
  return "attachment; filename=\"" + plain + "\"; filename*=UTF-8''" + encoded;
}

response file_answer(const request& req, const open_file& file,
                     std::string_view name) {
  response out;
  if (!req.headers.if_match.empty()
      && !names_strongly(req.headers.if_match, file.etag)) {
    out = answer(
      {problem_code::precondition_failed, "the file has another ETag now"});
    out.headers.emplace_back("ETag", file.etag);
    return out;
  }
  if (!req.headers.if_none_match.empty()
      && names(req.headers.if_none_match, file.etag)) {
    out.status = 304;
    out.headers.emplace_back("ETag", file.etag);
    return out;
  }
  out.content_type = file.type.empty() ? media_type_of(name) : file.type;
  add_content(out, req, file);
  out.headers.emplace_back("ETag", file.etag);
  out.headers.emplace_back("Accept-Ranges", "bytes");
  out.headers.emplace_back("X-Content-Type-Options", "nosniff");
  out.headers.emplace_back("Content-Security-Policy", "sandbox");
  if (out.status != 416)
    out.headers.emplace_back("Content-Disposition", disposition_of(name));
  return out;
}

} // namespace troupe::net
