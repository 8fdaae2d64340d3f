#include "media/codec/confine.hpp"

#include "media/codec/sanitizers.hpp"
#include "media/descriptor.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace troupe::codec {

namespace {

/// Gives this process an empty network, and with it the right to `chroot`.
bool enter_namespaces() {
  return ::unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC) == 0;
}

/// A folder that is in no folder: nothing can be made in it.
bool enter_empty_folder() {
  char name[] = "/tmp/troupe-codec-XXXXXX";
  if (!::mkdtemp(name))
    return false;
  const bool inside = ::chdir(name) == 0;
  ::rmdir(name);
  return inside;
}

bool drop_privileges() {
  for (int each = 0; each <= CAP_LAST_CAP; ++each)
    ::prctl(PR_CAPBSET_DROP, each, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2]{};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
         && ::syscall(SYS_capset, &header, none) == 0;
}

// Debian 12's header ends at ABI 2; these are of the kernel's documentation,
// userspace-api/landlock.
struct ruleset_attributes {
  std::uint64_t handled_access_fs = 0;
  std::uint64_t handled_access_net = 0;
  std::uint64_t scoped = 0;
};

/// A rule set without a rule: all that the kernel can refuse is refused.
bool enter_landlock() {
  const auto abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0,
                             LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < 0)
    return false;
  const int rights = abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13;
  ruleset_attributes all;
  all.handled_access_fs = (1ull << rights) - 1;
  all.handled_access_net = abi >= 4 ? 3 : 0;
  all.scoped = abi >= 6 ? 3 : 0;
  const media::descriptor set{static_cast<int>(
    ::syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0))};
  return set && ::syscall(SYS_landlock_restrict_self, set.get(), 0) == 0;
}

bool limit(__rlimit_resource what, std::uint64_t most) {
  rlimit now{};
  if (::getrlimit(what, &now) != 0)
    return false;
  now.rlim_max = std::min<rlim_t>(now.rlim_max, most);
  now.rlim_cur = now.rlim_max;
  return ::setrlimit(what, &now) == 0;
}

/// The first number of /proc/self/statm, in pages.
std::uint64_t mapped_bytes() {
  const media::descriptor file{
    ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC)};
  char text[64]{};
  if (!file || ::read(file.get(), text, sizeof text - 1) <= 0)
    return 0;
  return std::strtoull(text, nullptr, 10)
         * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

bool enter_limits(const media::child_limits& limits, std::uint64_t base) {
  return limit(RLIMIT_CORE, 0) && limit(RLIMIT_FSIZE, limits.file_size)
         && limit(RLIMIT_NOFILE, limits.files)
         && (is_sanitized || limit(RLIMIT_AS, base + limits.memory));
}

} // namespace

confinement::confinement() : base_memory_(mapped_bytes()) {
  if (is_sanitized) {
    skip("namespaces");
    skip("root");
  } else {
    const bool inside = enter_empty_folder();
    note("namespaces", enter_namespaces());
    note("root", inside && ::chroot(".") == 0);
  }
  note("privileges", drop_privileges());
}

void confinement::note(const char* layer, bool active) {
  const auto why = std::generic_category().message(errno);
  report_ += layer;
  report_ += active ? std::string{" yes\n"} : " no: " + why + '\n';
}

void confinement::skip(const char* layer) {
  report_ += std::string{layer} + " no: not under a sanitizer\n";
}

void confinement::close(const media::child_limits& limits) {
  if (limits.nice != 0)
    ::setpriority(PRIO_PROCESS, 0, limits.nice);
  note("limits", enter_limits(limits, base_memory_));
  note("landlock", enter_landlock());
  if (is_sanitized)
    skip("seccomp");
  else
    note("seccomp", filter_.apply());
}

bool arm_lifeline(int pipe) {
  // SIGKILL by the pipe's own signal needs no thread that watches it.
  if (::fcntl(pipe, F_SETOWN, ::getpid()) != 0
      || ::fcntl(pipe, F_SETSIG, SIGKILL) != 0
      || ::fcntl(pipe, F_SETFL, O_ASYNC) != 0)
    return false;
  pollfd now{pipe, POLLIN, 0};
  return ::poll(&now, 1, 0) == 0;
}

} // namespace troupe::codec
