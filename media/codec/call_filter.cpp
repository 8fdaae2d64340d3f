#include "media/codec/call_filter.hpp"

#include "media/descriptor.hpp"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>
#include <memory>

namespace troupe::codec {

namespace {

using media::child_profile;

/// Of the flags of `openat`.
constexpr std::uint64_t writing =
  O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND;

/// What libav calls once its input is open, and what threads need beside.
constexpr const char* allowed[] = {"read",
                                   "readv",
                                   "pread64",
                                   "preadv",
                                   "write",
                                   "writev",
                                   "pwrite64",
                                   "lseek",
                                   "fstat",
                                   "fstatfs",
                                   "ftruncate",
                                   "fsync",
                                   "close",
                                   "dup",
                                   "munmap",
                                   "mremap",
                                   "madvise",
                                   "brk",
                                   "futex",
                                   "clock_gettime",
                                   "clock_nanosleep",
                                   "nanosleep",
                                   "gettimeofday",
                                   "rt_sigreturn",
                                   "rt_sigprocmask",
                                   "rt_sigaction",
                                   "sigaltstack",
                                   "exit",
                                   "exit_group",
                                   "sendmsg",
                                   "recvmsg",
                                   "poll",
                                   "ppoll",
                                   "set_robust_list",
                                   "rseq",
                                   "sched_getaffinity",
                                   "sched_yield",
                                   "getpid",
                                   "gettid",
                                   "getrandom",
                                   "getrusage",
                                   "times",
                                   "restart_syscall",
                                   "membarrier"};

/// What looks for files and at them beside.
constexpr const char* looking[] = {
  "access",     "faccessat",  "faccessat2", "stat",       "lstat",
  "newfstatat", "statx",      "readlink",   "readlinkat", "getcwd",
  "fcntl",      "getdents64", "uname",      "statfs"};

/// What no codec calls, ever.
constexpr const char* hostile[] = {"execve",
                                   "execveat",
                                   "fork",
                                   "vfork",
                                   "ptrace",
                                   "process_vm_readv",
                                   "process_vm_writev",
                                   "process_madvise",
                                   "kcmp",
                                   "kill",
                                   "tkill",
                                   "rt_sigqueueinfo",
                                   "rt_tgsigqueueinfo",
                                   "pidfd_open",
                                   "pidfd_getfd",
                                   "pidfd_send_signal",
                                   "socket",
                                   "socketpair",
                                   "connect",
                                   "bind",
                                   "listen",
                                   "accept",
                                   "accept4",
                                   "setsockopt",
                                   "mount",
                                   "umount2",
                                   "pivot_root",
                                   "chroot",
                                   "move_mount",
                                   "open_tree",
                                   "fsopen",
                                   "fsmount",
                                   "fspick",
                                   "mount_setattr",
                                   "unshare",
                                   "setns",
                                   "bpf",
                                   "perf_event_open",
                                   "userfaultfd",
                                   "io_uring_setup",
                                   "io_uring_enter",
                                   "io_uring_register",
                                   "keyctl",
                                   "add_key",
                                   "request_key",
                                   "init_module",
                                   "finit_module",
                                   "delete_module",
                                   "kexec_load",
                                   "kexec_file_load",
                                   "reboot",
                                   "swapon",
                                   "swapoff",
                                   "open_by_handle_at",
                                   "name_to_handle_at",
                                   "setuid",
                                   "setgid",
                                   "setreuid",
                                   "setregid",
                                   "setresuid",
                                   "setresgid",
                                   "setgroups",
                                   "capset",
                                   "iopl",
                                   "ioperm",
                                   "modify_ldt",
                                   "acct",
                                   "settimeofday",
                                   "clock_settime",
                                   "sethostname",
                                   "fanotify_init"};

/// Invariant: `good` until a rule is refused; then the filter is none.
class rules {
public:
  rules() : all_(seccomp_init(SCMP_ACT_ERRNO(EPERM)), &seccomp_release) {
    good_ = all_
            && seccomp_attr_set(all_.get(), SCMP_FLTATR_ACT_BADARCH,
                                SCMP_ACT_KILL_PROCESS)
                 == 0
            && seccomp_attr_set(all_.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0;
  }

  /// A call that this machine does not have needs no rule.
  void add(std::uint32_t action, const char* name,
           std::initializer_list<scmp_arg_cmp> conditions = {}) {
    const int call = seccomp_syscall_resolve_name(name);
    if (!good_ || call < 0)
      return;
    good_ = seccomp_rule_add_array(all_.get(), action, call,
                                   static_cast<unsigned>(conditions.size()),
                                   conditions.begin())
            == 0;
  }

  [[nodiscard]] std::vector<sock_filter> program() const {
    const media::descriptor file{::memfd_create("filter", MFD_CLOEXEC)};
    if (!good_ || !file || seccomp_export_bpf(all_.get(), file.get()) != 0)
      return {};
    const auto size = ::lseek(file.get(), 0, SEEK_END);
    std::vector<sock_filter> read(static_cast<std::size_t>(size)
                                  / sizeof(sock_filter));
    if (::pread(file.get(), read.data(), static_cast<std::size_t>(size), 0)
        != size)
      return {};
    return read;
  }

private:
  std::unique_ptr<void, decltype(&seccomp_release)> all_;
  bool good_ = false;
};

} // namespace

call_filter::call_filter(child_profile profile) {
  rules made;
  for (const auto* name : allowed)
    made.add(SCMP_ACT_ALLOW, name);
  for (const auto* name : hostile)
    made.add(SCMP_ACT_KILL_PROCESS, name);
  if (profile != child_profile::media)
    for (const auto* name : looking)
      made.add(SCMP_ACT_ALLOW, name);
  if (profile == child_profile::text)
    made.add(SCMP_ACT_ALLOW, "openat",
             {SCMP_CMP64(2, SCMP_CMP_MASKED_EQ, writing, 0)});
  if (profile == child_profile::gpu)
    for (const auto* name : {"openat", "ioctl", "mmap", "mprotect"})
      made.add(SCMP_ACT_ALLOW, name);
  else
    for (const auto* name : {"mmap", "mprotect"})
      made.add(SCMP_ACT_ALLOW, name,
               {SCMP_CMP64(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)});
  made.add(SCMP_ACT_ALLOW, "clone",
           {SCMP_CMP64(0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)});
  made.add(SCMP_ACT_KILL_PROCESS, "clone",
           {SCMP_CMP64(0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)});
  made.add(SCMP_ACT_ERRNO(ENOSYS), "clone3");
  made.add(SCMP_ACT_ALLOW, "prctl", {SCMP_CMP64(0, SCMP_CMP_EQ, PR_SET_NAME)});
  program_ = made.program();
}

call_filter::~call_filter() = default;

bool call_filter::apply() const {
  if (program_.empty()) {
    errno = ENOSYS;
    return false;
  }
  const sock_fprog program{static_cast<unsigned short>(program_.size()),
                           const_cast<sock_filter*>(program_.data())};
  return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

} // namespace troupe::codec
