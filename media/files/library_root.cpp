#include "media/files/library_root.hpp"

#include "media/errc.hpp"
#include "media/files/sync.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <iterator>

namespace troupe::media {

namespace {

namespace fs = std::filesystem;

constexpr int folder_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
constexpr int file_flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

int open_step_by_step(int root, const fs::path& relative, int flags) {
  descriptor at{::openat(root, ".", folder_flags)};
  for (auto step = relative.begin(); step != relative.end(); ++step) {
    if (!at)
      return -1;
    const bool last = std::next(step) == relative.end();
    at.reset(::openat(at.get(), step->c_str(),
                      (last ? flags : folder_flags) | O_NOFOLLOW));
  }
  return at.release();
}

int open_beneath(int root, const fs::path& relative, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const auto* name = relative.empty() ? "." : relative.c_str();
  long opened = 0;
  // EAGAIN: somebody renamed a folder on the way.
  for (int tries = 0; tries < 16; ++tries) {
    opened = ::syscall(SYS_openat2, root, name, &how, sizeof how);
    if (opened >= 0 || errno != EAGAIN)
      break;
  }
  const bool unknown = opened < 0 && (errno == ENOSYS || errno == EPERM);
  return unknown ? open_step_by_step(root, relative, flags)
                 : static_cast<int>(opened);
}

failure folder_failure(const fs::path& path, int error) {
  if (error == EXDEV || error == ELOOP)
    return fail(errc::io_error, path.string() + ": leads out of the library");
  return file_failure(path, error);
}

} // namespace

result<library_root> library_root::open(const fs::path& path) {
  descriptor root{::open(path.c_str(), folder_flags)};
  if (!root)
    return file_failure(path);
  return library_root{std::move(root), path};
}

result<descriptor> library_root::folder(const fs::path& relative) const {
  descriptor opened{open_beneath(root_.get(), relative, folder_flags)};
  if (!opened && errno != ENOENT)
    return folder_failure(path_ / relative, errno);
  return opened;
}

result<descriptor> library_root::file(const fs::path& relative) const {
  descriptor opened{open_beneath(root_.get(), relative, file_flags)};
  if (opened || errno == ENOENT || errno == ENOTDIR)
    return opened;
  if (errno == EXDEV || errno == ELOOP)
    return fail(errc::source_forbidden,
                relative.string() + " leads out of its folder by a link");
  return file_failure(path_ / relative);
}

result<descriptor> library_root::made_folder(const fs::path& relative) const {
  fs::path done;
  auto at = folder(done);
  for (const auto& step : relative) {
    if (!at)
      return at;
    done /= step;
    if (::mkdirat(at->get(), step.c_str(), 0777) == 0) {
      if (::fsync(at->get()) != 0)
        return file_failure(path_ / done);
    } else if (errno != EEXIST) {
      return file_failure(path_ / done);
    }
    at = folder(done);
    if (at && !*at)
      return folder_failure(path_ / done, ENOENT);
  }
  return at;
}

} // namespace troupe::media
