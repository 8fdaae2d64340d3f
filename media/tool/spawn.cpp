#include "media/tool/spawn.hpp"

#include "media/errc.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace troupe::media {

namespace {

/// Above those that the guard gets, so that no `dup2` overwrites a source.
constexpr int lowest_source = 16;

failure system_failure(const char* what, int error = errno) {
  return fail(errc::io_error, std::string{what} + ": "
                                + std::generic_category().message(error));
}

struct channel {
  descriptor ours;
  descriptor theirs; ///< at `lowest_source` or above
};

descriptor moved_up(descriptor low) {
  return descriptor{::fcntl(low.get(), F_DUPFD_CLOEXEC, lowest_source)};
}

channel make_pipe() {
  int ends[2]{-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return {};
  channel made{descriptor{ends[0]}, moved_up(descriptor{ends[1]})};
  ::fcntl(made.ours.get(), F_SETFL, O_NONBLOCK);
  return made;
}

channel make_control() {
  int ends[2]{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return {};
  return {descriptor{ends[0]}, moved_up(descriptor{ends[1]})};
}

/// The order in a memory file: of any length, and seen by nobody else.
descriptor make_order_file(const guard_order& order) {
  descriptor file = moved_up(descriptor{::memfd_create("order", MFD_CLOEXEC)});
  const auto bytes = encode(order);
  const auto size = static_cast<ssize_t>(bytes.size());
  if (file && ::pwrite(file.get(), bytes.data(), bytes.size(), 0) != size)
    file.reset();
  return file;
}

class spawn_settings {
public:
  spawn_settings() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK
                                               | POSIX_SPAWN_SETSIGDEF
                                               | POSIX_SPAWN_SETSID);
  }
  spawn_settings(const spawn_settings&) = delete;
  spawn_settings& operator=(const spawn_settings&) = delete;
  ~spawn_settings() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  void hand_over(const descriptor& from, int to) {
    ::posix_spawn_file_actions_adddup2(&actions_, from.get(), to);
  }

  /// The new process's id, or minus the error.
  pid_t start(const std::filesystem::path& program, const char* title) {
    ::posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, control_fd + 1);
    std::string words[]{program.string(), "tool-guard", title};
    char* argv[]{words[0].data(), words[1].data(), words[2].data(), nullptr};
    char* environment[]{nullptr};
    pid_t pid = 0;
    const int error = ::posix_spawn(&pid, program.c_str(), &actions_,
                                    &attributes_, argv, environment);
    return error == 0 ? pid : -error;
  }

private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

} // namespace

result<spawned_guard> spawn_guard(const std::filesystem::path& program,
                                  const guard_order& order) {
  auto output = make_pipe();
  auto errors = make_pipe();
  auto control = make_control();
  const auto order_file = make_order_file(order);
  if (!output.theirs || !errors.theirs || !control.theirs || !order_file)
    return system_failure("no descriptors for a tool");
  spawn_settings settings;
  settings.hand_over(output.theirs, 1);
  settings.hand_over(errors.theirs, 2);
  settings.hand_over(order_file, order_fd);
  settings.hand_over(control.theirs, control_fd);
  const auto pid = settings.start(program, order.argv.front().c_str());
  if (pid < 0)
    return system_failure(program.c_str(), -pid);
  // By number: the wrapper of glibc 2.36 is not declared for C++.
  descriptor process{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
  if (!process) {
    const auto why = system_failure("pidfd_open");
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return why;
  }
  return spawned_guard{pid, std::move(process), std::move(control.ours),
                       std::move(output.ours), std::move(errors.ours)};
}

} // namespace troupe::media
