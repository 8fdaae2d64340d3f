#include "media/monitor/host_reader.hpp"
#include "media/monitor/proc_text.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>

/// What this process has started, and what that has.
namespace troupe::media {

namespace {

namespace fs = std::filesystem;

/// More are not looked at, so that a look stays cheap.
constexpr std::size_t most = 4096;

void add_children(const fs::path& process, std::vector<std::int64_t>& to) {
  std::error_code wrong;
  for (fs::directory_iterator at{process / "task", wrong}, end;
       !wrong && at != end; at.increment(wrong)) {
    const auto text = file_text(at->path() / "children");
    for (std::string_view rest = text; !rest.empty();) {
      const auto size = std::min(rest.find(' '), rest.size());
      if (const auto pid = numbers_of(rest.substr(0, size), 1).front())
        to.push_back(static_cast<std::int64_t>(pid));
      rest.remove_prefix(std::min(size + 1, rest.size()));
    }
  }
}

/// Fields 2, 14 to 17 and 24 of /proc/PID/stat; the name may hold anything.
child_figures figures_of(std::int64_t pid, const fs::path& process) {
  static const auto tick = static_cast<double>(::sysconf(_SC_CLK_TCK));
  static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  child_figures out;
  const auto stat = file_text(process / "stat");
  const auto name = stat.find('(');
  const auto end = stat.rfind(") ");
  if (name == stat.npos || end == stat.npos)
    return out;
  out.pid = pid;
  out.name = stat.substr(name + 1, end - name - 1);
  std::string_view rest{stat};
  rest.remove_prefix(std::min(end + 4, rest.size())); // the state, too
  const auto fields = numbers_of(rest, 21);
  out.cpu_s = static_cast<double>(fields[10] + fields[11]) / tick;
  out.memory = fields[20] * page;
  return out;
}

} // namespace

std::vector<child_figures> read_children() {
  const fs::path proc{"/proc"};
  std::vector<std::int64_t> pids;
  add_children(proc / "self", pids);
  std::vector<child_figures> found;
  for (std::size_t at = 0; at < pids.size() && at < most; ++at) {
    const auto process = proc / std::to_string(pids[at]);
    add_children(process, pids);
    if (auto figures = figures_of(pids[at], process); figures.pid != 0)
      found.push_back(std::move(figures));
  }
  std::ranges::sort(found, std::ranges::greater{}, &child_figures::memory);
  return found;
}

} // namespace troupe::media
