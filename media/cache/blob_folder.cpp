#include "media/cache/blob_folder.hpp"

#include "media/descriptor.hpp"
#include "media/errc.hpp"
#include "media/files/sync.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <array>
#include <cstring>
#include <system_error>

namespace troupe::media {

namespace {

namespace fs = std::filesystem;

struct blob_header {
  std::array<char, 8> magic{'t', 'r', 'p', 'b', 'l', 'o', 'b', '1'};
  std::uint64_t size = 0;
  cache_key digest;
};
static_assert(sizeof(blob_header) == 32);

/// Writes all of it; false with errno.
bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto done = ::write(fd, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}

bool read_all(int fd, char* to, std::size_t size) {
  while (size > 0) {
    const auto done = ::read(fd, to, size);
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0)
      return false;
    to += done;
    size -= static_cast<std::size_t>(done);
  }
  return true;
}

failure broken(const fs::path& file) {
  return fail(errc::checksum_failed, file.string());
}

} // namespace

result<blob_folder> blob_folder::open(fs::path folder) {
  std::error_code error;
  fs::remove_all(folder / "new", error);
  for (const auto& each : {folder, folder / "new"}) {
    fs::create_directories(each, error);
    if (error)
      return fail(errc::io_error, each.string() + ": " + error.message());
  }
  static constexpr std::string_view digits = "0123456789abcdef";
  for (const char first : digits)
    for (const char second : digits) {
      fs::create_directory(folder / std::string{first, second}, error);
      if (error)
        return fail(errc::io_error, folder.string() + ": " + error.message());
    }
  return blob_folder{std::move(folder)};
}

fs::path blob_folder::path_of(const cache_key& digest) const {
  const auto hex = to_hex(digest);
  return folder_ / hex.substr(0, 2) / hex.substr(2);
}

result<fs::path> blob_folder::write(const cache_key& digest,
                                    std::string_view bytes) {
  auto path = folder_ / "new" / std::to_string(number_++);
  const descriptor file{
    ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  blob_header header;
  header.size = bytes.size();
  header.digest = digest;
  const std::string_view head{reinterpret_cast<const char*>(&header),
                              sizeof header};
  if (file && write_all(file.get(), head) && write_all(file.get(), bytes))
    return path;
  const auto why = file_failure(path);
  if (file)
    discard(path);
  return why;
}

result<void> blob_folder::keep(const fs::path& written,
                               const cache_key& digest) {
  if (::rename(written.c_str(), path_of(digest).c_str()) == 0)
    return {};
  const auto why = file_failure(written);
  discard(written);
  return why;
}

void blob_folder::discard(const fs::path& written) {
  ::unlink(written.c_str());
}

result<std::optional<std::string>>
blob_folder::read(const cache_key& digest) const {
  const auto path = path_of(digest);
  const descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file && errno == ENOENT)
    return std::optional<std::string>{};
  struct stat is {};
  if (!file || ::fstat(file.get(), &is) != 0)
    return file_failure(path);
  blob_header header;
  header.magic = {};
  const auto whole = static_cast<std::uint64_t>(is.st_size);
  if (whole < sizeof header
      || !read_all(file.get(), reinterpret_cast<char*>(&header), sizeof header)
      || header.magic != blob_header{}.magic || !(header.digest == digest)
      || header.size != whole - sizeof header)
    return broken(path);
  std::string bytes(header.size, '\0');
  if (!read_all(file.get(), bytes.data(), bytes.size())
      || !(key_of(bytes) == digest))
    return broken(path);
  return std::optional{std::move(bytes)};
}

void blob_folder::remove(const cache_key& digest) {
  ::unlink(path_of(digest).c_str());
}

std::size_t
blob_folder::sweep(const std::function<bool(const cache_key& digest)>& wanted) {
  std::size_t gone = 0;
  std::error_code error;
  for (const auto& folder : fs::directory_iterator{folder_, error}) {
    const auto prefix = folder.path().filename().string();
    if (prefix.size() != 2)
      continue;
    for (const auto& file : fs::directory_iterator{folder.path(), error}) {
      const auto digest = from_hex(prefix + file.path().filename().string());
      if (digest && wanted(*digest))
        continue;
      ::unlink(file.path().c_str());
      ++gone;
    }
  }
  return gone;
}

} // namespace troupe::media
