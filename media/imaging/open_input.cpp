#include "media/imaging/open_input.hpp"

#include "media/errc.hpp"
#include "media/files/sync.hpp"
#include "media/imaging/source_name.hpp"
#include "media/probe/local_source.hpp"

#include <sys/mman.h>
#include <sys/stat.h>

#include <array>

namespace troupe::media {

namespace {

std::string identity_of(const std::string& name, const struct stat& of) {
  auto out = "file\n" + name;
  for (const auto part : {std::int64_t(of.st_dev), std::int64_t(of.st_ino),
                          of.st_size, of.st_mtim.tv_sec, of.st_mtim.tv_nsec,
                          of.st_ctim.tv_sec, of.st_ctim.tv_nsec})
    out += '\n' + std::to_string(part);
  return out;
}

} // namespace

std::string identity_of_file(const std::string& path) {
  struct stat is {};
  return ::stat(path.c_str(), &is) == 0 ? identity_of(path, is) : path;
}

result<std::shared_ptr<const image_input>>
open_input(const std::string& source, std::string_view job_result,
           const config::library_settings& library) {
  auto file = source.starts_with("job:")
                ? open_result_source(job_result, library.dir)
                : open_local_source(source, library.media_roots);
  if (!file)
    return file.error();
  struct stat is {};
  std::array<char, look_bytes> head{};
  if (::fstat(file->get(), &is) != 0)
    return file_failure(source);
  const auto got = ::pread(file->get(), head.data(), head.size(), 0);
  if (got < 0)
    return file_failure(source);
  auto input = std::make_shared<image_input>();
  input->file = std::move(*file);
  input->name = plain_source(source);
  input->identity = identity_of(input->name, is);
  input->size = static_cast<std::uint64_t>(is.st_size);
  input->look = look_at({head.data(), static_cast<std::size_t>(got)});
  return std::shared_ptr<const image_input>{std::move(input)};
}

bool is_changed(const image_input& input) {
  struct stat is {};
  return ::fstat(input.file.get(), &is) != 0
         || identity_of(input.name, is) != input.identity;
}

result<descriptor> file_of(std::string_view bytes) {
  descriptor file{::memfd_create("image", MFD_CLOEXEC)};
  if (!file)
    return file_failure("memfd");
  while (!bytes.empty()) {
    const auto done = ::write(file.get(), bytes.data(), bytes.size());
    if (done <= 0)
      return file_failure("memfd");
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return file;
}

} // namespace troupe::media
