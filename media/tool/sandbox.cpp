#include "media/tool/sandbox.hpp"

#include "media/descriptor.hpp"
#include "media/tool/tool.hpp"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace troupe::media {

namespace {

// Debian 12's header ends at ABI 2; these are of the kernel's documentation,
// userspace-api/landlock.
constexpr std::uint64_t fs_truncate = 1ull << 14;
constexpr std::uint64_t fs_ioctl_dev = 1ull << 15;
constexpr std::uint64_t net_bind_tcp = 1ull << 0;
constexpr std::uint64_t net_connect_tcp = 1ull << 1;
constexpr std::uint64_t scope_abstract_unix_socket = 1ull << 0;
constexpr std::uint64_t scope_signal = 1ull << 1;
constexpr int rule_net_port = 2;

struct ruleset_attributes {
  std::uint64_t handled_access_fs = 0;
  std::uint64_t handled_access_net = 0;
  std::uint64_t scoped = 0;
};

struct net_port_attributes {
  std::uint64_t allowed_access = 0;
  std::uint64_t port = 0;
};

constexpr std::uint64_t read_rights = LANDLOCK_ACCESS_FS_EXECUTE
                                      | LANDLOCK_ACCESS_FS_READ_FILE
                                      | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t device_rights =
  LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | fs_truncate;
constexpr std::uint64_t write_rights =
  LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR
  | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR
  | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR
  | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK
  | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM
  | LANDLOCK_ACCESS_FS_REFER | fs_truncate;
/// All that can be granted on a path that is no folder.
constexpr std::uint64_t file_rights =
  LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE
  | LANDLOCK_ACCESS_FS_READ_FILE | fs_truncate | fs_ioctl_dev;

constexpr std::array system_folders{
  "/usr", "/etc", "/bin", "/sbin", "/lib", "/lib32", "/lib64",
  // What runtimes look at in order to count cores and memory.
  "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/loadavg",
  "/proc/filesystems", "/proc/sys/kernel", "/sys/devices/system/cpu",
  "/dev/zero", "/dev/random", "/dev/urandom"};

std::uint64_t rights_of_abi(int abi) {
  std::uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
  if (abi >= 2)
    rights |= LANDLOCK_ACCESS_FS_REFER;
  if (abi >= 3)
    rights |= fs_truncate;
  if (abi >= 5)
    rights |= fs_ioctl_dev;
  return rights;
}

class ruleset {
public:
  ruleset(int abi, bool confine_ports) {
    attributes_.handled_access_fs = rights_of_abi(abi);
    if (abi >= 4 && confine_ports)
      attributes_.handled_access_net = net_bind_tcp | net_connect_tcp;
    if (abi >= 6)
      attributes_.scoped = scope_abstract_unix_socket | scope_signal;
    handle_.reset(static_cast<int>(::syscall(
      SYS_landlock_create_ruleset, &attributes_, sizeof attributes_, 0)));
  }

  /// A path that does not exist needs no rule.
  [[nodiscard]] bool allow(const std::filesystem::path& path,
                           std::uint64_t rights) const {
    const descriptor opened{::open(path.c_str(), O_PATH | O_CLOEXEC)};
    if (!opened)
      return errno == ENOENT || errno == EACCES;
    struct stat facts {};
    if (::fstat(opened.get(), &facts) != 0)
      return false;
    landlock_path_beneath_attr rule{};
    rule.parent_fd = opened.get();
    rule.allowed_access = rights & attributes_.handled_access_fs;
    if (!S_ISDIR(facts.st_mode))
      rule.allowed_access &= file_rights;
    return ::syscall(SYS_landlock_add_rule, handle_.get(),
                     LANDLOCK_RULE_PATH_BENEATH, &rule, 0)
           == 0;
  }

  [[nodiscard]] bool allow_port(std::uint16_t port) const {
    if (attributes_.handled_access_net == 0)
      return true;
    const net_port_attributes rule{net_connect_tcp, port};
    return ::syscall(SYS_landlock_add_rule, handle_.get(), rule_net_port, &rule,
                     0)
           == 0;
  }

  [[nodiscard]] bool enforce() const {
    return ::syscall(SYS_landlock_restrict_self, handle_.get(), 0) == 0;
  }

  [[nodiscard]] explicit operator bool() const {
    return static_cast<bool>(handle_);
  }

private:
  ruleset_attributes attributes_;
  descriptor handle_;
};

bool allow_all(const ruleset& set, const sandbox_rules& rules) {
  for (const auto* path : system_folders)
    if (!set.allow(path, read_rights))
      return false;
  for (const auto& path : rules.readable)
    if (!set.allow(path, read_rights))
      return false;
  return set.allow("/dev/null", device_rights)
         && set.allow(rules.writable, write_rights)
         && set.allow_port(rules.connect_port);
}

} // namespace

int landlock_abi() {
  const auto abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0,
                             LANDLOCK_CREATE_RULESET_VERSION);
  return abi < 0 ? 0 : static_cast<int>(abi);
}

bool enter_sandbox(const sandbox_rules& rules) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return false;
  const int abi = landlock_abi();
  if (abi == 0)
    return true;
  const ruleset set{abi, rules.connect_port != 0};
  return set && allow_all(set, rules) && set.enforce();
}

} // namespace troupe::media
