#include "media/child/child_process.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

/// How a child ends, and whose fault it was.
namespace troupe::media {

namespace {

using boost::system::error_code;

child_usage usage_of(const rusage& used) {
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec)
           + static_cast<double>(time.tv_usec) / 1e6;
  };
  return {seconds(used.ru_utime) + seconds(used.ru_stime),
          static_cast<std::uint64_t>(used.ru_maxrss) << 10};
}

/// Signals that a process brings upon itself. Any other comes from outside: a
/// child can send none.
bool is_own_fault(int signal) {
  constexpr std::array faults{SIGSEGV, SIGBUS, SIGILL,  SIGFPE,  SIGABRT,
                              SIGTRAP, SIGSYS, SIGPIPE, SIGXCPU, SIGXFSZ};
  return std::ranges::find(faults, signal) != faults.end();
}

child_end ended(errc code, std::string message) {
  return {code, std::move(message), {}, {}, {}};
}

/// Of a child that died in the middle of its task, and not by us.
/// @param starved the kernel has killed somebody for want of memory since
child_end blame(const siginfo_t& facts, bool starved) {
  const int status = facts.si_status;
  if (facts.si_code == CLD_EXITED)
    return ended(errc::crashed, "the codec child ended with status "
                                  + std::to_string(status) + " and no answer");
  if (status == SIGKILL && starved)
    return ended(errc::memory, "the codec child was killed for want of memory");
  if (status == SIGSYS)
    return ended(errc::sandbox, "the codec child called what no codec calls");
  const auto by =
    "by signal " + std::to_string(status) + " (" + ::strsignal(status) + ')';
  return is_own_fault(status)
           ? ended(errc::crashed, "the codec child died " + by)
           : ended(errc::killed, "the codec child was killed " + by);
}

} // namespace

descriptor open_process(pid_t pid) {
  // By number: the wrapper of glibc 2.36 is not declared for C++.
  return descriptor{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
}

std::chrono::nanoseconds cpu_time(pid_t pid) {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(pid, &clock) != 0
      || ::clock_gettime(clock, &used) != 0)
    return {};
  return std::chrono::seconds{used.tv_sec}
         + std::chrono::nanoseconds{used.tv_nsec};
}

void child_process::stop(errc why) {
  end_with(why, "stopped");
}

void child_process::leave() {
  silent_ = true;
  if (task_)
    return end_with(errc::interrupted, "stopped");
  kill_it();
}

/// Ends the task under way; the first reason counts.
void child_process::end_with(errc why, std::string message) {
  if (!task_ || verdict_)
    return;
  verdict_ = child_end{why, std::move(message), {}, {}, {}};
  kill_it();
}

void child_process::kill_it() {
  if (!find_born())
    return;
  phase_ = phase::dying;
  timer_.cancel();
  ::syscall(SYS_pidfd_send_signal, process_.native_handle(), SIGKILL, nullptr,
            0);
}

void child_process::await_death() {
  process_.async_wait(stream::wait_read,
                      [self = shared_from_this()](error_code wrong) {
                        if (!wrong)
                          self->reap();
                      });
}

void child_process::reap() {
  // What it said before it died counts.
  while (hear_one())
    continue;
  siginfo_t facts{};
  rusage used{};
  const auto done = ::syscall(SYS_waitid, P_PIDFD, process_.native_handle(),
                              &facts, WEXITED | WNOHANG, &used);
  const bool alive = done == 0 ? facts.si_pid == 0 : errno == EAGAIN;
  if (alive)
    return await_death();
  error_code ignored;
  socket_.close(ignored);
  process_.close(ignored);
  lifeline_.reset();
  timer_.cancel();
  phase_ = phase::none;
  census_->remove(this);
  auto end = std::exchange(verdict_, std::nullopt);
  if (!task_)
    return;
  // It died before it heard of its task; another may do better.
  if (!end && !sent_ && clock::now() < give_up_at_)
    return begin();
  if (!end)
    end = blame(facts, zygote_->oom_kills() > oom_kills_);
  end->usage = usage_of(used);
  conclude(std::move(*end));
}

} // namespace troupe::media
