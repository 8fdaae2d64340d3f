#include "media/child/codec_group.hpp"

#include "media/descriptor.hpp"
#include "media/errc.hpp"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

namespace troupe::media {

namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t most_tasks = 4096;

failure failed(const std::string& what, int error) {
  return fail(errc::io_error,
              what + ": " + std::generic_category().message(error));
}

/// One write, as the kernel's files want it.
result<void> write_to(const fs::path& file, const std::string& text) {
  const descriptor to{::open(file.c_str(), O_WRONLY | O_CLOEXEC)};
  if (!to || ::write(to.get(), text.data(), text.size()) < 0)
    return failed(file.string(), errno);
  return {};
}

bool has_word(const fs::path& file, const std::string& wanted) {
  std::ifstream in{file};
  for (std::string word; in >> word;)
    if (word == wanted)
      return true;
  return false;
}

/// Where cgroup v2 is mounted; empty: nowhere.
fs::path mount_point() {
  std::ifstream in{"/proc/self/mounts"};
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields{line};
    std::string device;
    std::string folder;
    std::string type;
    fields >> device >> folder >> type;
    if (type == "cgroup2")
      return folder;
  }
  return {};
}

} // namespace

group_limits default_group_limits() {
  const auto pages = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES));
  const auto size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return {pages * size / 4 * 3, most_tasks};
}

result<fs::path> own_group() {
  const auto root = mount_point();
  if (root.empty())
    return fail(errc::io_error, "cgroup v2 is not mounted");
  std::ifstream in{"/proc/self/cgroup"};
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("0::/"))
      return root / line.substr(4);
  return fail(errc::io_error, "this process is in no cgroup v2");
}

fs::path home_of_groups(const fs::path& own) {
  const auto around = own.parent_path();
  char marked = 0;
  const auto size = ::getxattr(around.c_str(), "user.delegate", &marked, 1);
  return size == 1 && marked == '1' ? around : own;
}

std::uint64_t oom_kills(const fs::path& events) {
  std::ifstream in{events};
  std::string name;
  for (std::uint64_t count = 0; in >> name >> count;)
    if (name == "oom_kill")
      return count;
  return 0;
}

result<codec_group> codec_group::make(const fs::path& parent,
                                      const std::string& name,
                                      const group_limits& limits) {
  for (const auto* controller : {"memory", "pids"})
    if (!has_word(parent / "cgroup.controllers", controller))
      return fail(errc::io_error,
                  parent.string() + " has no controller " + controller);
  if (!has_word(parent / "cgroup.subtree_control", "memory")
      || !has_word(parent / "cgroup.subtree_control", "pids"))
    if (const auto good =
          write_to(parent / "cgroup.subtree_control", "+memory +pids");
        !good)
      return good.error();
  std::error_code wrong;
  fs::create_directory(parent / name, wrong);
  if (wrong)
    return failed((parent / name).string(), wrong.value());
  codec_group made{parent / name};
  if (const auto good =
        write_to(made.folder_ / "memory.max", std::to_string(limits.memory));
      !good)
    return good.error();
  if (const auto good =
        write_to(made.folder_ / "pids.max", std::to_string(limits.tasks));
      !good)
    return good.error();
  return made;
}

codec_group::codec_group(codec_group&& other) noexcept
  : folder_(std::exchange(other.folder_, {})) {}

codec_group::~codec_group() {
  if (!folder_.empty())
    ::rmdir(folder_.c_str());
}

result<void> codec_group::take(pid_t process) const {
  return write_to(folder_ / "cgroup.procs", std::to_string(process));
}

} // namespace troupe::media
