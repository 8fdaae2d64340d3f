#include "config/process_figures.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace troupe::config {

namespace {

/// The fields of /proc/self/stat from `state` (field 3) on; the name before
/// it may hold anything.
std::vector<std::string> stat_fields() {
  std::ifstream in{"/proc/self/stat"};
  std::string line;
  std::getline(in, line);
  std::istringstream rest{line.substr(line.rfind(')') + 1)};
  return {std::istream_iterator<std::string>{rest}, {}};
}

double boot_time() {
  std::ifstream in{"/proc/stat"};
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("btime "))
      return std::stod(line.substr(6));
  return 0;
}

std::uint64_t open_files() {
  std::error_code wrong;
  std::filesystem::directory_iterator all{"/proc/self/fd", wrong};
  const auto count = std::distance(begin(all), end(all));
  return count > 0 ? static_cast<std::uint64_t>(count) - 1 : 0; // its own
}

} // namespace

process_figures read_process_figures() {
  process_figures out;
  const auto tick = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto field = stat_fields();
  const auto number = [&field](std::size_t nth) {
    return nth - 3 < field.size() ? std::stoull(field[nth - 3]) : 0;
  };
  out.cpu_s = static_cast<double>(number(14) + number(15)) / tick;
  out.threads = number(20);
  out.virtual_bytes = number(23);
  out.resident_bytes =
    number(24) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  static const auto booted = boot_time();
  out.started = booted + static_cast<double>(number(22)) / tick;
  out.open_files = open_files();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
    out.max_files = limit.rlim_cur;
  return out;
}

} // namespace troupe::config
