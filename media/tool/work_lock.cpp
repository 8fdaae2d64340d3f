#include "media/tool/work_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

namespace troupe::media {

bool work_lock::try_take(const std::filesystem::path& file) {
  const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
  descriptor opened{::open(file.c_str(), flags, 0600)};
  if (!opened || ::flock(opened.get(), LOCK_EX | LOCK_NB) != 0)
    return false;
  // It may have been removed between the two calls; then it locks nothing.
  struct stat held {};
  struct stat named {};
  const bool same =
    ::fstat(opened.get(), &held) == 0 && ::lstat(file.c_str(), &named) == 0
    && held.st_ino == named.st_ino && held.st_dev == named.st_dev;
  if (!same) {
    errno = EWOULDBLOCK;
    return false;
  }
  held_ = std::move(opened);
  return true;
}

} // namespace troupe::media
