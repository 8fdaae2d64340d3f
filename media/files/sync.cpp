#include "media/files/sync.hpp"

#include "media/descriptor.hpp"
#include "media/errc.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <system_error>

namespace troupe::media {

namespace {

result<void> write_all(int fd, std::string_view bytes,
                       const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const auto count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return file_failure(path);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

result<void> write_new(const std::filesystem::path& path,
                       std::string_view bytes, unsigned mode) {
  const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
  const descriptor out{::open(path.c_str(), flags, mode)};
  if (!out)
    return file_failure(path);
  if (::fchmod(out.get(), mode) != 0)
    return file_failure(path);
  if (auto written = write_all(out.get(), bytes, path); !written)
    return written;
  if (::fsync(out.get()) != 0)
    return file_failure(path);
  return {};
}

} // namespace

failure file_failure(const std::filesystem::path& path, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return fail(full ? errc::disk_full : errc::io_error,
              path.string() + ": " + std::generic_category().message(error));
}

result<void> sync_path(const std::filesystem::path& path) {
  const descriptor opened{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!opened || ::fsync(opened.get()) != 0)
    return file_failure(path);
  return {};
}

result<void> write_file_synced(const std::filesystem::path& file,
                               std::string_view bytes, unsigned mode) {
  auto fresh = file;
  fresh += ".new";
  if (auto written = write_new(fresh, bytes, mode); !written) {
    ::unlink(fresh.c_str());
    return written;
  }
  if (::rename(fresh.c_str(), file.c_str()) != 0)
    return file_failure(file);
  return sync_path(file.has_parent_path() ? file.parent_path() : ".");
}

} // namespace troupe::media
