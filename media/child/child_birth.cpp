#include "media/child/child_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

/// How a child comes to be, from the zygote's to its own first word.
namespace troupe::media {

namespace {

using namespace std::chrono_literals;
using boost::system::error_code;

/// A zygote bears a child in milliseconds. One that is silent for so long is
/// stopped or hangs.
constexpr auto zygote_patience = 5s;
/// As much of its result as the kernel may keep for a child.
constexpr int socket_room = 1 << 20;

} // namespace

void child_process::begin() {
  phase_ = phase::unborn;
  credit_ = std::make_shared<std::atomic<credit>>(credit::here);
  census_->add(shared_from_this());
  bear();
}

void child_process::bear() {
  if (zygote_->is_missing())
    return give_up("troupe-codec cannot be started");
  patience_at_ = clock::now() + zygote_patience;
  if (ask_zygote()) {
    listen();
    return wake_at(patience_at_);
  }
  lifeline_.reset();
  wake_at(clock::now() + birth_pause);
}

/// Leaves the socket closed if nobody could be asked.
bool child_process::ask_zygote() {
  int ends[2]{-1, -1};
  int pipe[2]{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return false;
  descriptor ours{ends[0]};
  const descriptor theirs{ends[1]};
  if (::pipe2(pipe, O_CLOEXEC) != 0)
    return false;
  const descriptor read_end{pipe[0]};
  lifeline_.reset(pipe[1]);
  ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
  ::setsockopt(theirs.get(), SOL_SOCKET, SO_SNDBUF, &socket_room,
               sizeof socket_room);
  line_ = zygote_->births().take();
  if (!line_)
    return false;
  if (!zygote_->ask({limits_, *line_}, theirs.get(), read_end.get())) {
    forget_birth();
    return false;
  }
  socket_.assign(ours.release());
  return true;
}

/// True if it is born, whether or not it has said so: from now on it can be
/// killed and reaped.
bool child_process::find_born() {
  if (process_.is_open() || !line_)
    return process_.is_open();
  const auto pid = zygote_->births().read(*line_);
  auto process = pid > 0 ? open_process(pid) : descriptor{};
  if (!process)
    return false;
  pid_ = pid;
  process_.assign(process.release());
  forget_birth();
  await_death();
  return true;
}

/// One that was born but cannot be held, for want of descriptors, ends here: by
/// its number, which is its own until it is reaped.
void child_process::forget_birth() {
  if (!line_)
    return;
  const auto pid = zygote_->births().read(*line_);
  if (pid > 0 && !process_.is_open()) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  zygote_->births().give_back(*std::exchange(line_, std::nullopt));
}

void child_process::become_ready() {
  if (phase_ != phase::unborn)
    return;
  if (!find_born())
    return give_up("no descriptor for a codec child");
  if (verdict_)
    return kill_it();
  phase_ = phase::idle;
  timer_.cancel();
  if (task_)
    send_task();
}

/// Without a child that is held. A line that somebody may still write to is
/// lost.
void child_process::give_up(std::string message) {
  error_code ignored;
  if (line_ && socket_.is_open() && zygote_->births().read(*line_) == 0)
    line_.reset();
  forget_birth();
  socket_.close(ignored);
  lifeline_.reset();
  timer_.cancel();
  phase_ = phase::none;
  census_->remove(this);
  if (!verdict_)
    verdict_ = child_end{errc::io_error, std::move(message), {}, {}, {}};
  if (task_)
    conclude(*std::exchange(verdict_, std::nullopt));
  verdict_.reset();
}

void child_process::tick_unborn(clock::time_point now) {
  if (!socket_.is_open() && now < give_up_at_)
    return bear();
  const bool known = find_born();
  if (known && verdict_)
    return kill_it();
  if (now >= give_up_at_)
    return known ? end_with(errc::io_error, "a codec child was born mute")
                 : give_up("no codec child could be born");
  if (now >= patience_at_ && !known) {
    zygote_->replace();
    patience_at_ = now + zygote_patience;
  }
  wake_at(known ? give_up_at_ : std::max(patience_at_, now + birth_pause));
}

} // namespace troupe::media
