#include "net/cli/data_folder.hpp"

#include <fstream>

namespace troupe::cli {

namespace fs = std::filesystem;

result<data_folder> data_folder::hold(const fs::path& dir) {
  auto lock = store::folder_lock::take(dir);
  if (!lock)
    return lock.error();
  return data_folder{dir, std::move(*lock)};
}

data_folder::~data_folder() {
  if (!address_.empty())
    retract();
}

result<void> data_folder::announce(const std::string& url) {
  // Renamed into place: whoever reads it reads all of it.
  auto fresh = address_;
  fresh += ".new";
  std::error_code wrong;
  if (std::ofstream out{fresh, std::ios::trunc}; !(out << url << std::endl))
    wrong = make_error_code(std::errc::io_error);
  else
    fs::rename(fresh, address_, wrong);
  if (wrong)
    return failure{wrong, address_.string()};
  return {};
}

void data_folder::retract() noexcept {
  std::error_code gone;
  fs::remove(address_, gone);
}

} // namespace troupe::cli
