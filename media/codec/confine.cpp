#include "media/codec/confine.hpp"

#include "config/sanitizers.hpp"
#include "media/descriptor.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
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

/// No privilege can be gained from now on.
bool freeze_privileges() {
  for (int each = 0; each <= CAP_LAST_CAP; ++each)
    ::prctl(PR_CAPBSET_DROP, each, 0, 0, 0);
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

/// Keeps these of the first 32 capabilities.
bool keep_capabilities(std::uint32_t kept) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2]{{kept, kept, 0}, {}};
  return ::syscall(SYS_capset, &header, sets) == 0;
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

confinement::confinement(const media::child_views& views)
  : files_(views), base_memory_(mapped_bytes()) {
  if (is_sanitized) {
    skip("namespaces");
  } else {
    inside_ = enter_empty_folder();
    note("namespaces", enter_namespaces());
  }
  frozen_ = freeze_privileges();
  // What is left lets each child change its root, and goes then.
  if (!keep_capabilities(1u << CAP_SYS_CHROOT))
    keep_capabilities(0);
}

void confinement::shut_files(media::child_profile profile) {
  if (is_sanitized)
    skip("root");
  else if (files_.opens(profile))
    report_ += "root no: it is to see some files\n";
  else
    note("root", inside_ && ::chroot(".") == 0);
  note("privileges", frozen_ && keep_capabilities(0));
  note("landlock", files_.enter(profile));
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
  if (is_sanitized)
    skip("seccomp");
  else
    note("seccomp", filter_of(limits.profile).apply());
}

const call_filter& confinement::filter_of(media::child_profile profile) const {
  if (!files_.opens(profile))
    return media_calls_;
  return profile == media::child_profile::text ? text_calls_ : gpu_calls_;
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
