#include "media/codec/file_walls.hpp"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>

namespace troupe::codec {

namespace {

using media::child_profile;
using media::descriptor;

// Debian 12's header ends at ABI 2; these are of the kernel's documentation,
// userspace-api/landlock.
struct ruleset_attributes {
  std::uint64_t handled_access_fs = 0;
  std::uint64_t handled_access_net = 0;
  std::uint64_t scoped = 0;
};
constexpr std::uint64_t ioctl_right = 1u << 15;

constexpr std::uint64_t reading =
  LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;

long landlock_abi() {
  return ::syscall(SYS_landlock_create_ruleset, nullptr, 0,
                   LANDLOCK_CREATE_RULESET_VERSION);
}

std::uint64_t known_rights(long abi) {
  const int rights = abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13;
  return (1ull << rights) - 1;
}

descriptor make_set() {
  const auto abi = landlock_abi();
  if (abi < 0)
    return {};
  ruleset_attributes all;
  all.handled_access_fs = known_rights(abi);
  all.handled_access_net = abi >= 4 ? 3 : 0;
  all.scoped = abi >= 6 ? 3 : 0;
  return descriptor{static_cast<int>(
    ::syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0))};
}

/// False if there is no such path. Rights of folders mean nothing for a file.
bool allow(const descriptor& set, const std::filesystem::path& path,
           std::uint64_t rights) {
  const descriptor at{::open(path.c_str(), O_PATH | O_CLOEXEC)};
  struct stat facts {};
  if (!set || !at || ::fstat(at.get(), &facts) != 0)
    return false;
  if (!S_ISDIR(facts.st_mode))
    rights &= ~std::uint64_t{LANDLOCK_ACCESS_FS_READ_DIR};
  const landlock_path_beneath_attr rule{rights & known_rights(landlock_abi()),
                                        at.get()};
  return ::syscall(SYS_landlock_add_rule, set.get(), LANDLOCK_RULE_PATH_BENEATH,
                   &rule, 0)
         == 0;
}

descriptor set_for_text(const media::child_views& views) {
  auto set = make_set();
  bool some = false;
  for (const auto& path : views.fonts)
    some = allow(set, path, reading) || some;
  return some ? std::move(set) : descriptor{};
}

descriptor set_for_gpu(const media::child_views& views) {
  auto set = make_set();
  const auto node =
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | ioctl_right;
  if (views.render_node.empty() || !allow(set, views.render_node, node))
    return {};
  for (const auto* path : {"/usr", "/lib", "/lib64", "/sys"})
    allow(set, path, reading | LANDLOCK_ACCESS_FS_EXECUTE);
  return set;
}

} // namespace

file_walls::file_walls(const media::child_views& views)
  : none_(make_set()), text_(set_for_text(views)), gpu_(set_for_gpu(views)) {}

const descriptor& file_walls::of(child_profile profile) const {
  if (profile == child_profile::text && text_)
    return text_;
  if (profile == child_profile::gpu && gpu_)
    return gpu_;
  return none_;
}

bool file_walls::opens(child_profile profile) const {
  return of(profile).get() != none_.get();
}

bool file_walls::enter(child_profile profile) const {
  const auto& set = of(profile);
  if (!set) {
    errno = ENOSYS;
    return false;
  }
  return ::syscall(SYS_landlock_restrict_self, set.get(), 0) == 0;
}

} // namespace troupe::codec
