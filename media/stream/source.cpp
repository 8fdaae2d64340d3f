#include "media/stream/source.hpp"

#include "media/errc.hpp"
#include "media/files/sync.hpp"
#include "media/probe/local_source.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>

namespace troupe::media {

namespace {

std::string film_identity(const std::string& name, const struct stat& of) {
  auto out = "stream\n" + name;
  for (const auto part : {std::int64_t(of.st_dev), std::int64_t(of.st_ino),
                          of.st_size, of.st_mtim.tv_sec, of.st_mtim.tv_nsec})
    out += '\n' + std::to_string(part);
  return out;
}

} // namespace

result<source_ptr> open_stream_source(const std::string& source,
                                      std::string_view job_result,
                                      const config::library_settings& library) {
  auto file = source.starts_with("job:")
                ? open_result_source(job_result, library.dir)
                : open_local_source(source, library.media_roots);
  if (!file)
    return file.error();
  struct stat is {};
  if (::fstat(file->get(), &is) != 0)
    return file_failure(source);
  auto out = std::make_shared<stream_source>();
  out->name = source;
  out->identity = film_identity(source, is);
  out->key = key_of(out->identity);
  out->size = static_cast<std::uint64_t>(is.st_size);
  out->file = std::move(*file);
  return source_ptr{std::move(out)};
}

bool is_changed(const stream_source& source) {
  struct stat is {};
  return source.file
         && (::fstat(source.file.get(), &is) != 0
             || film_identity(source.name, is) != source.identity);
}

std::string_view media_type_of(std::string_view container,
                               bool has_video) noexcept {
  struct entry {
    std::string_view word, video, audio;
  };
  static constexpr std::array types{
    entry{"mkv", "video/x-matroska", "audio/x-matroska"},
    entry{"mp4", "video/mp4", "audio/mp4"},
    entry{"ts", "video/mp2t", "video/mp2t"},
    entry{"avi", "video/x-msvideo", "video/x-msvideo"},
    entry{"ogg", "video/ogg", "audio/ogg"},
    entry{"mp3", "audio/mpeg", "audio/mpeg"},
    entry{"flac", "audio/flac", "audio/flac"},
    entry{"wav", "audio/wav", "audio/wav"},
    entry{"aac", "audio/aac", "audio/aac"},
  };
  const auto at = std::ranges::find(types, container, &entry::word);
  if (at == types.end())
    return "application/octet-stream";
  return has_video ? at->video : at->audio;
}

} // namespace troupe::media
