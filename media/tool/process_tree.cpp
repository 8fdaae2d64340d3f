#include "media/tool/process_tree.hpp"

#include "media/descriptor.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

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
