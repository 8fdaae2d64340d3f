#include "media/probe/source_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace troupe::media {

result<descriptor> open_media_file(const std::filesystem::path& path) {
  descriptor file{
    ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
  if (!file)
    return fail(errno == ENOENT ? errc::source_not_found : errc::io_error,
                std::generic_category().message(errno));
  return checked_media_file(std::move(file));
}

result<descriptor> checked_media_file(descriptor file) {
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0)
    return fail(errc::io_error, std::generic_category().message(errno));
  if (!S_ISREG(facts.st_mode))
    return fail(errc::invalid_media, "no regular file");
  return file;
}

child_task probe_task(descriptor file) {
  child_task task;
  task.name = "probe";
  task.files.push_back(std::move(file));
  return task;
}

} // namespace troupe::media
