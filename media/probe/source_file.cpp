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
    return fail(errc::invalid_media, "the source is no regular file");
  return file;
}

file_stamp stamp_of(const descriptor& file) {
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0)
    return {};
  return {facts.st_dev, facts.st_ino, facts.st_size,
          facts.st_mtim.tv_sec * 1'000'000'000 + facts.st_mtim.tv_nsec};
}

std::string to_string(const file_stamp& stamp) {
  std::string text;
  for (const auto number :
       {stamp.device, stamp.number, static_cast<std::uint64_t>(stamp.size),
        static_cast<std::uint64_t>(stamp.changed_ns)})
    text += (text.empty() ? "" : ":") + std::to_string(number);
  return text;
}

child_task probe_task(std::shared_ptr<child_source> source) {
  child_task task;
  task.name = "probe";
  task.params = std::to_string(source->size());
  task.source = std::move(source);
  return task;
}

child_task probe_task(descriptor file) {
  child_task task;
  task.name = "probe";
  task.files.push_back(std::move(file));
  return task;
}

} // namespace troupe::media
