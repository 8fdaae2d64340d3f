#include "media/files/leftovers.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <system_error>

namespace troupe::media {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view digits = "0123456789";

/// @return empty if no job has folders of such a name
std::string job_of(const std::string& name) {
  const auto dot = name.rfind('.');
  if (dot == std::string::npos || dot + 1 == name.size())
    return {};
  const auto what = name.substr(dot + 1);
  if (what != "work" && what.find_first_not_of(digits) != std::string::npos)
    return {};
  return name.substr(0, dot);
}

/// A download writes to a file for hours, which its folder does not show.
fs::file_time_type touched(const fs::path& folder) {
  std::error_code wrong;
  auto newest = fs::last_write_time(folder, wrong);
  for (fs::recursive_directory_iterator at{folder, wrong}, end;
       !wrong && at != end; at.increment(wrong)) {
    std::error_code gone; // meanwhile
    if (!at->is_symlink(gone))
      newest = std::max(newest, at->last_write_time(gone));
  }
  return wrong ? fs::file_time_type::clock::now() : newest;
}

} // namespace

std::vector<leftover> find_leftovers(const fs::path& library) {
  std::map<std::string, fs::file_time_type> found;
  std::error_code wrong;
  for (fs::directory_iterator at{library / ".troupe", wrong}, end;
       !wrong && at != end; at.increment(wrong)) {
    const auto job = job_of(at->path().filename().string());
    std::error_code gone;
    if (job.empty() || !at->is_directory(gone))
      continue;
    const auto when = touched(at->path());
    const auto [entry, added] = found.emplace(job, when);
    entry->second = std::max(entry->second, when);
  }
  std::vector<leftover> all;
  for (const auto& [job, when] : found)
    all.push_back({job, when});
  return all;
}

} // namespace troupe::media
