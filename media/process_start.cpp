#include "media/process_start.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace troupe::media {

namespace {

constexpr int lowest_source = 16;

} // namespace

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (auto& word : words)
    all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

descriptor moved_up(int low) {
  return descriptor{::fcntl(low, F_DUPFD_CLOEXEC, lowest_source)};
}

socket_ends make_socket_ends() {
  int ends[2]{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return {};
  const descriptor low{ends[1]};
  return {descriptor{ends[0]}, moved_up(low.get())};
}

process_start::process_start() {
  ::posix_spawn_file_actions_init(&actions_);
  ::posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
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

process_start::~process_start() {
  ::posix_spawn_file_actions_destroy(&actions_);
  ::posix_spawnattr_destroy(&attributes_);
}

void process_start::hand_over(const descriptor& from, int to) {
  ::posix_spawn_file_actions_adddup2(&actions_, from.get(), to);
}

void process_start::mute(int fd) {
  ::posix_spawn_file_actions_addopen(&actions_, fd, "/dev/null", O_WRONLY, 0);
}

started_process process_start::run(const std::filesystem::path& program,
                                   std::vector<std::string> words,
                                   std::vector<std::string> environment,
                                   int last) {
  ::posix_spawn_file_actions_addclosefrom_np(&actions_, last + 1);
  words.insert(words.begin(), program.string());
  const auto argv = pointers_to(words);
  const auto variables = pointers_to(environment);
  started_process made;
  errno = ::posix_spawn(&made.pid, program.c_str(), &actions_, &attributes_,
                        argv.data(), variables.data());
  if (errno != 0)
    return {};
  // By number: the wrapper of glibc 2.36 is not declared for C++.
  made.process.reset(static_cast<int>(::syscall(SYS_pidfd_open, made.pid, 0)));
  if (made.process)
    return made;
  const int error = errno;
  ::kill(made.pid, SIGKILL);
  ::waitpid(made.pid, nullptr, 0);
  errno = error;
  return {};
}

} // namespace troupe::media
