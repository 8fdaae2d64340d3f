#include "media/tool/process_tree.hpp"

#include "media/descriptor.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>

namespace troupe::media {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// Enough for a status line and for any environment that we set.
constexpr std::size_t read_limit = 256u << 10;

std::string read_file(const fs::path& path) {
  const descriptor in{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  std::string bytes;
  char block[4096];
  while (in && bytes.size() < read_limit) {
    const auto count = ::read(in.get(), block, sizeof block);
    if (count <= 0)
      break;
    bytes.append(block, static_cast<std::size_t>(count));
  }
  return bytes;
}

std::optional<pid_t> number_of(std::string_view text) {
  pid_t number = 0;
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc{} || read.ptr != end)
    return std::nullopt;
  return number;
}

std::vector<pid_t> all_processes() {
  std::vector<pid_t> found;
  std::error_code wrong;
  for (fs::directory_iterator at{"/proc", wrong}, end; !wrong && at != end;
       at.increment(wrong))
    if (const auto pid = number_of(at->path().filename().native()))
      found.push_back(*pid);
  return found;
}

fs::path folder_of(pid_t pid) {
  return "/proc/" + std::to_string(pid);
}

/// Field 4 of /proc/PID/stat; the name before it may hold anything, even `)`.
pid_t parent_of(pid_t pid) {
  const auto line = read_file(folder_of(pid) / "stat");
  const auto name_end = line.rfind(") ");
  if (name_end == std::string::npos)
    return 0;
  const auto from = name_end + 4;
  const auto to = line.find(' ', from);
  if (to == std::string::npos)
    return 0;
  return number_of(std::string_view{line}.substr(from, to - from)).value_or(0);
}

/// Adds the numbers of a text that stand at these places, from 0.
std::uint64_t sum_of(std::string_view text, std::size_t first,
                     std::size_t last) {
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at <= last && !text.empty(); ++at) {
    const auto end = std::min(text.find_first_of(" \n"), text.size());
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + end, number);
    if (at >= first)
      sum += number;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return sum;
}

/// Fields 14 to 17 of /proc/PID/stat, in ticks, and what /proc/PID/io says was
/// read and written, system calls included.
std::uint64_t activity_of_one(pid_t pid) {
  const auto stat = read_file(folder_of(pid) / "stat");
  const auto name_end = stat.rfind(") ");
  if (name_end == std::string::npos)
    return 0;
  const auto io = read_file(folder_of(pid) / "io");
  return sum_of(std::string_view{stat}.substr(name_end + 2), 11, 14)
         + sum_of(io, 0, 7);
}

void add_children(pid_t pid, std::vector<pid_t>& to) {
  std::error_code wrong;
  for (fs::directory_iterator at{folder_of(pid) / "task", wrong}, end;
       !wrong && at != end; at.increment(wrong)) {
    const auto text = read_file(at->path() / "children");
    for (std::string_view rest = text; !rest.empty();) {
      const auto size = std::min(rest.find(' '), rest.size());
      if (const auto child = number_of(rest.substr(0, size)))
        to.push_back(*child);
      rest.remove_prefix(std::min(size + 1, rest.size()));
    }
  }
}

bool has_entry(pid_t pid, const std::string& entry) {
  const auto bytes = '\0' + read_file(folder_of(pid) / "environ") + '\0';
  return bytes.find('\0' + entry + '\0') != std::string::npos;
}

} // namespace

std::vector<pid_t> descendants_of(pid_t root) {
  std::multimap<pid_t, pid_t> children;
  for (const auto pid : all_processes())
    if (pid != root)
      children.emplace(parent_of(pid), pid);
  std::vector<pid_t> found{root};
  for (std::size_t at = 0; at < found.size(); ++at) {
    const auto [from, to] = children.equal_range(found[at]);
    for (auto child = from; child != to; ++child)
      found.push_back(child->second);
  }
  found.erase(found.begin());
  return found;
}

std::uint64_t activity_of(pid_t root) {
  std::uint64_t sum = 0;
  std::vector<pid_t> tree{root};
  for (std::size_t at = 0; at < tree.size(); ++at) {
    sum += activity_of_one(tree[at]);
    add_children(tree[at], tree);
  }
  // A process that comes or goes is a change, too.
  return sum + tree.size();
}

bool kill_marked(const std::string& entry) {
  const auto deadline = std::chrono::steady_clock::now() + 1s;
  for (;;) {
    bool any = false;
    for (const auto pid : all_processes())
      if (pid != ::getpid() && has_entry(pid, entry)) {
        any = true;
        ::kill(pid, SIGKILL);
      }
    if (!any)
      return true;
    if (std::chrono::steady_clock::now() > deadline)
      return false;
    std::this_thread::sleep_for(2ms);
  }
}

} // namespace troupe::media
