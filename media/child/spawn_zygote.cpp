#include "media/child/zygote_link.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace troupe::media {

namespace {

/// Above what the zygote gets, so that no `dup2` overwrites a source.
constexpr int lowest_source = 16;

class spawn_settings {
public:
  spawn_settings(int control, int births) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions_, 1, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, control, zygote_control_fd);
    ::posix_spawn_file_actions_adddup2(&actions_, births, zygote_births_fd);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, zygote_births_fd + 1);
    ::posix_spawnattr_init(&attributes_);
    sigset_t set;
    ::sigemptyset(&set);
    ::posix_spawnattr_setsigmask(&attributes_, &set);
    ::sigfillset(&set);
    ::posix_spawnattr_setsigdefault(&attributes_, &set);
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

  /// The new process's id, or 0 with errno.
  pid_t start(const std::filesystem::path& program, const child_views& views) {
    std::vector<std::string> words{program.string(), "zygote"};
    for (const auto& path : views.fonts)
      words.push_back("font=" + path.string());
    if (!views.render_node.empty())
      words.push_back("render=" + views.render_node.string());
    std::vector<char*> argv;
    for (auto& word : words)
      argv.push_back(word.data());
    argv.push_back(nullptr);
    // OpenBLAS starts threads when it is loaded, unless it is told not to.
    std::string variables[]{"OPENBLAS_NUM_THREADS=1", "MALLOC_ARENA_MAX=2"};
    char* environment[]{variables[0].data(), variables[1].data(), nullptr};
    pid_t pid = 0;
    errno = ::posix_spawn(&pid, program.c_str(), &actions_, &attributes_,
                          argv.data(), environment);
    return errno == 0 ? pid : 0;
  }

private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

} // namespace

spawned_zygote spawn_zygote(const std::filesystem::path& program, int births,
                            const child_views& views) {
  int ends[2]{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return {};
  spawned_zygote made{0, {}, descriptor{ends[0]}};
  const descriptor low{ends[1]};
  const descriptor theirs{::fcntl(low.get(), F_DUPFD_CLOEXEC, lowest_source)};
  const descriptor book{::fcntl(births, F_DUPFD_CLOEXEC, lowest_source)};
  if (!theirs || !book)
    return {};
  made.pid = spawn_settings{theirs.get(), book.get()}.start(program, views);
  if (made.pid == 0)
    return {};
  // By number: the wrapper of glibc 2.36 is not declared for C++.
  made.process.reset(static_cast<int>(::syscall(SYS_pidfd_open, made.pid, 0)));
  if (!made.process) {
    ::kill(made.pid, SIGKILL);
    ::waitpid(made.pid, nullptr, 0);
  }
  return made;
}

} // namespace troupe::media
