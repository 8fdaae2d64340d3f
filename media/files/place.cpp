#include "media/files/place.hpp"

#include "media/descriptor.hpp"
#include "media/files/digest.hpp"
#include "media/files/sync.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

namespace troupe::media {

namespace {

bool has_no_hard_links(int error) {
  return error == EPERM || error == EOPNOTSUPP || error == ENOSYS
         || error == EXDEV || error == EMLINK;
}

/// Whether a regular file of the right size has the right hash.
result<occupant> compare_content(int folder, const std::string& name,
                                 const staged_file& file) {
  const int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
  const descriptor there{::openat(folder, name.c_str(), flags)};
  if (!there)
    return file_failure(file.final_path);
  const auto digest = digest_of_open(there.get(), file.final_path);
  if (!digest)
    return digest.error();
  const bool same = digest->size == file.size && digest->sha256 == file.sha256;
  return same ? occupant::ours : occupant::foreign;
}

} // namespace

result<occupant> occupant_of(int folder, const std::string& name,
                             const staged_file& file) {
  struct stat there {};
  if (folder < 0)
    return occupant::nobody;
  if (::fstatat(folder, name.c_str(), &there, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT)
      return occupant::nobody;
    return file_failure(file.final_path);
  }
  if (S_ISDIR(there.st_mode))
    return occupant::folder;
  struct stat staged {};
  if (::lstat(file.staged.c_str(), &staged) == 0
      && staged.st_ino == there.st_ino && staged.st_dev == there.st_dev)
    return occupant::ours;
  if (!S_ISREG(there.st_mode) || there.st_size != file.size)
    return occupant::foreign;
  return compare_content(folder, name, file);
}

result<occupant> place_new(int folder, const std::string& name,
                           const staged_file& file) {
  const auto* staged = file.staged.c_str();
  if (::linkat(AT_FDCWD, staged, folder, name.c_str(), 0) == 0)
    return occupant::ours;
  if (errno == EEXIST)
    return occupant_of(folder, name, file);
  if (has_no_hard_links(errno))
    return place_by_rename(folder, name, file);
  return file_failure(file.final_path);
}

result<occupant> place_by_rename(int folder, const std::string& name,
                                 const staged_file& file) {
  if (::renameat2(AT_FDCWD, file.staged.c_str(), folder, name.c_str(),
                  RENAME_NOREPLACE)
      == 0)
    return occupant::ours;
  if (errno == EEXIST)
    return occupant_of(folder, name, file);
  return file_failure(file.final_path);
}

result<void> place_over(int folder, const std::string& name,
                        const staged_file& file) {
  // A second link is renamed, so that the staged file stays until the job is
  // done and publishing can be repeated.
  const auto second = file.staged + ".publish";
  if (::unlink(second.c_str()) != 0 && errno != ENOENT)
    return file_failure(second);
  const bool linked = ::link(file.staged.c_str(), second.c_str()) == 0;
  if (!linked && !has_no_hard_links(errno))
    return file_failure(second);
  const auto& from = linked ? second : file.staged;
  if (::renameat(AT_FDCWD, from.c_str(), folder, name.c_str()) != 0)
    return file_failure(file.final_path);
  return {};
}

} // namespace troupe::media
