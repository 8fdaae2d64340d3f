#include "net/cli/data_folder.hpp"

#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <sys/file.h>
#include <sys/stat.h>

namespace troupe::cli {

namespace {

namespace fs = std::filesystem;

failure why(int code, const fs::path& path) {
  return {std::error_code{code, std::generic_category()}, path.string()};
}

} // namespace

result<data_folder> data_folder::hold(const fs::path& dir) {
  std::error_code wrong;
  fs::create_directories(dir.parent_path(), wrong);
  if (::mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST)
    return why(errno, dir);
  const auto file = dir / "lock";
  media::descriptor lock{
    ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (!lock)
    return why(errno, file);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return why(errno == EWOULDBLOCK ? EBUSY : errno, file);
  return data_folder{dir, std::move(lock)};
}

data_folder::~data_folder() {
  if (lock_)
    retract();
}

result<void> data_folder::announce(const std::string& url) {
  // Renamed into place: whoever reads it reads all of it.
  const auto fresh = dir_ / "address.new";
  std::error_code wrong;
  {
    std::ofstream out{fresh, std::ios::trunc};
    if (!(out << url << '\n' << std::flush))
      return why(EIO, fresh);
  }
  fs::rename(fresh, dir_ / "address", wrong);
  if (wrong)
    return failure{wrong, (dir_ / "address").string()};
  return {};
}

void data_folder::retract() noexcept {
  std::error_code gone;
  fs::remove(dir_ / "address", gone);
}

} // namespace troupe::cli
