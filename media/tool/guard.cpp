#include "config/sanitizers.hpp"
#include "media/descriptor.hpp"
#include "media/process_start.hpp"
#include "media/tool/order.hpp"
#include "media/tool/process_tree.hpp"
#include "media/tool/sandbox.hpp"
#include "media/tool/tool.hpp"
#include "media/tool/work_lock.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <optional>

/// The process between the server and a tool. It has one thread, since a
/// parent-death signal fires when the *thread* that forked ends.
namespace troupe::media {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

/// What the tree gets when the server died: a successor may wait for the lock.
constexpr auto orphan_grace = 200ms;
constexpr auto lock_patience = 10s;

std::optional<guard_order> receive_order() {
  const descriptor in{order_fd};
  std::string bytes;
  char block[4096];
  for (;;) {
    const auto count = ::read(in.get(), block, sizeof block);
    if (count < 0)
      return std::nullopt;
    if (count == 0)
      return decode_order(bytes);
    bytes.append(block, static_cast<std::size_t>(count));
  }
}

/// Lowers a limit of this process and all that it starts; 0 lowers nothing.
bool limit(__rlimit_resource what, std::uint64_t most) {
  rlimit now{};
  if (most == 0)
    return true;
  if (::getrlimit(what, &now) != 0)
    return false;
  now.rlim_max = std::min<rlim_t>(now.rlim_max, most);
  now.rlim_cur = now.rlim_max;
  return ::setrlimit(what, &now) == 0;
}

/// Private memory, not addresses: Python and ffmpeg map far more than they use.
bool keep_to(const tool_limits& limits) {
  const rlimit no_core{0, 0};
  return ::setrlimit(RLIMIT_CORE, &no_core) == 0
         && limit(RLIMIT_DATA, is_sanitized ? 0 : limits.memory)
         && limit(RLIMIT_FSIZE, limits.file_size)
         && limit(RLIMIT_NOFILE, limits.files);
}

/// In the child, between fork and exec: becomes the tool, or says which step
/// failed.
const char* become_tool(guard_order& order, pid_t guard) {
  if (::setsid() < 0)
    return "setsid";
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != guard)
    return "prctl";
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (!keep_to(order.limits))
    return "limits";
  errno = 0;
  if (::nice(order.nice) == -1 && errno != 0)
    return "nice";
  if (::chdir(order.folder.c_str()) != 0)
    return "chdir";
  order.readable.emplace_back(order.argv.front());
  const sandbox_rules rules{order.folder, order.readable, order.connect_port};
  if (!enter_sandbox(rules))
    return "sandbox";
  const auto arguments = pointers_to(order.argv);
  const auto environment = pointers_to(order.environment);
  ::execve(arguments.front(), arguments.data(), environment.data());
  return "exec";
}

/// Invariant: from `begin` on, every process of the tree is a descendant of
/// this one, as it reaps for all of them; `main_` is 0 once it is reaped.
class guard {
public:
  explicit guard(guard_order order) : order_(std::move(order)) {}

  guard_report run();

private:
  bool prepare();
  bool take_lock();
  bool begin();
  void supervise();
  void measure();
  void hear_control();
  void end_tree_within(std::chrono::milliseconds grace);
  void kill_tree();
  bool reap();
  void wait_for_news(std::chrono::milliseconds longest);
  bool refuse(const std::string& why, int error = 0);

  guard_order order_;
  guard_report report_;
  work_lock lock_;
  descriptor signals_;
  descriptor control_{control_fd};
  pid_t main_ = 0;
  bool deserted_ = false; ///< the server is gone
  std::optional<steady::time_point> kill_at_;
};

bool guard::refuse(const std::string& why, int error) {
  auto text = error == 0 ? why : why + ": " + std::strerror(error);
  text.resize(std::min(text.size(), report_.error.size() - 1));
  std::copy(text.begin(), text.end(), report_.error.begin());
  return false;
}

bool guard::prepare() {
  ::fcntl(control_.get(), F_SETFD, FD_CLOEXEC);
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
    return refuse("cannot become a subreaper", errno);
  // Everything but SIGKILL is blocked: it is the lifeline that ends a guard,
  // not whoever signals a whole group of processes.
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  sigset_t child;
  ::sigemptyset(&child);
  ::sigaddset(&child, SIGCHLD);
  signals_.reset(::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
  return signals_ ? true : refuse("signalfd", errno);
}

bool guard::take_lock() {
  if (order_.lock_file.empty())
    return true;
  const auto deadline = steady::now() + lock_patience;
  while (!lock_.try_take(order_.lock_file)) {
    if (errno != EWOULDBLOCK)
      return refuse(order_.lock_file.string(), errno);
    if (steady::now() > deadline)
      return refuse(order_.lock_file.string() + ": is still held");
    wait_for_news(10ms);
    if (kill_at_)
      return refuse("stopped before it began");
  }
  // Whoever held it died without its guard's care if anything is left.
  return kill_marked(order_.marker) ? true
                                    : refuse("an earlier attempt cannot end");
}

bool guard::begin() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return refuse("pipe", errno);
  const descriptor in{ends[0]};
  descriptor out{ends[1]};
  const auto self = ::getpid();
  main_ = ::fork();
  if (main_ < 0) {
    main_ = 0;
    return refuse("fork", errno);
  }
  if (main_ == 0) {
    const char* step = become_tool(order_, self);
    const auto text = std::string{step} + ": " + std::strerror(errno);
    [[maybe_unused]] const auto told =
      ::write(out.get(), text.data(), text.size());
    ::_exit(127);
  }
  out.reset();
  char text[256];
  const auto size = ::read(in.get(), text, sizeof text);
  if (size <= 0)
    return true;
  return refuse(order_.argv.front() + ": "
                + std::string{text, static_cast<std::size_t>(size)});
}

void guard::end_tree_within(std::chrono::milliseconds grace) {
  const auto at = steady::now() + grace;
  kill_at_ = kill_at_ ? std::min(*kill_at_, at) : at;
  if (main_ != 0)
    ::kill(-main_, SIGTERM);
}

void guard::hear_control() {
  guard_stop stop;
  const auto size = ::recv(control_.get(), &stop, sizeof stop, MSG_DONTWAIT);
  if (size == sizeof stop)
    return end_tree_within(std::chrono::milliseconds{stop.grace_ms});
  if (size < 0 && errno == EAGAIN)
    return;
  deserted_ = true;
  end_tree_within(orphan_grace);
}

void guard::wait_for_news(std::chrono::milliseconds longest) {
  pollfd events[2]{{signals_.get(), POLLIN, 0}, {control_.get(), POLLIN, 0}};
  const nfds_t count = deserted_ ? 1 : 2;
  ::poll(events, count, static_cast<int>(longest.count()));
  signalfd_siginfo ignored{};
  while (::read(signals_.get(), &ignored, sizeof ignored) > 0)
    continue;
  if (!deserted_ && events[1].revents != 0)
    hear_control();
}

/// True while any process of the tree is left.
bool guard::reap() {
  for (;;) {
    int status = 0;
    const auto pid = ::waitpid(-1, &status, WNOHANG);
    if (pid == 0)
      return true;
    if (pid < 0)
      return false;
    if (pid != main_)
      continue;
    main_ = 0;
    report_.status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    report_.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }
}

void guard::kill_tree() {
  for (const auto pid : descendants_of(::getpid()))
    ::kill(pid, SIGKILL);
}

void guard::supervise() {
  while (reap()) {
    const bool leftover = main_ == 0;
    const bool late = kill_at_ && steady::now() >= *kill_at_;
    if (leftover || late) {
      kill_tree();
      wait_for_news(20ms);
    } else {
      wait_for_news(kill_at_ ? 10ms : 60s);
    }
  }
}

/// Of all that were reaped, here or by each other.
void guard::measure() {
  rusage used{};
  if (::getrusage(RUSAGE_CHILDREN, &used) != 0)
    return;
  for (const auto& time : {used.ru_utime, used.ru_stime})
    report_.cpu_ms +=
      static_cast<std::uint64_t>(time.tv_sec * 1000 + time.tv_usec / 1000);
  report_.peak_kb = static_cast<std::uint64_t>(used.ru_maxrss);
}

guard_report guard::run() {
  if (prepare() && take_lock()) {
    begin();
    supervise();
    measure();
  }
  if (!deserted_)
    ::send(control_.get(), &report_, sizeof report_, MSG_NOSIGNAL);
  return report_;
}

} // namespace

int tool_guard_main(int, char**) {
  auto order = receive_order();
  if (!order) {
    std::fputs("troupe tool-guard is started by the server only\n", stderr);
    return 2;
  }
  const auto report = guard{std::move(*order)}.run();
  return report.error.front() == '\0' ? 0 : 1;
}

} // namespace troupe::media
