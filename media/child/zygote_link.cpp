#include "media/child/zygote_link.hpp"

#include "config/log.hpp"
#include "media/child/frame.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace troupe::media {

namespace {

using namespace std::chrono_literals;
using boost::system::error_code;

/// One that lived so long may be followed at once.
constexpr auto adult = 1s;
/// For one that was killed.
constexpr int death_limit_ms = 1000;
constexpr std::chrono::milliseconds first_wait{50};
constexpr std::chrono::milliseconds longest_wait{5000};

} // namespace

zygote_link::zygote_link(runtime& threads, std::filesystem::path program,
                         child_views views, std::filesystem::path oom_events)
  : process_(threads.io()), pause_(threads.io()), program_(std::move(program)),
    views_(std::move(views)), oom_events_(std::move(oom_events)) {}

void zygote_link::start() {
  if (stopped_)
    return;
  if (!group_)
    make_group();
  auto made = spawn_zygote(program_, births_.file(), views_);
  const int error = errno;
  if (!made.process) {
    if (!std::exchange(missing_, true))
      log::error("the zygote of codec children cannot be started",
                 {{"path", program_.string()},
                  {"error", std::generic_category().message(error)}});
    return bury();
  }
  missing_ = false;
  if (group_)
    if (const auto good = group_->take(made.pid); !good)
      log::warn("codec children are not limited together",
                {{"error", good.error().message()}});
  born_ = std::chrono::steady_clock::now();
  pid_ = made.pid;
  control_ = std::move(made.control);
  process_.assign(made.process.release());
  log::debug("zygote started", {{"pid", std::to_string(made.pid)}});
  await_end();
}

/// Without one, each child has limits of its own; `doctor` tells.
void zygote_link::make_group() {
  const auto own = own_group();
  if (!own)
    return;
  const bool told = !oom_events_.empty();
  if (!told)
    oom_events_ = *own / "memory.events";
  auto made = codec_group::make(home_of_groups(*own),
                                "troupe-codec." + std::to_string(::getpid()),
                                default_group_limits());
  if (!made)
    return;
  group_.emplace(std::move(*made));
  if (!told)
    oom_events_ = group_->events();
}

void zygote_link::await_end() {
  process_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                      [self = shared_from_this()](error_code wrong) {
                        if (wrong)
                          return;
                        if (!self->stopped_)
                          log::warn("the zygote of codec children died");
                        self->bury();
                      });
}

/// Reaps what is dead and starts the next, in time.
void zygote_link::bury() {
  control_.reset();
  pid_ = 0;
  const bool lived = process_.is_open();
  if (lived) {
    // Asio made it non-blocking, so that `waitid` alone would not wait.
    pollfd end{process_.native_handle(), POLLIN, 0};
    ::poll(&end, 1, death_limit_ms);
    siginfo_t facts{};
    ::waitid(P_PIDFD, static_cast<id_t>(end.fd), &facts, WEXITED | WNOHANG);
    process_.close();
  }
  if (stopped_)
    return;
  const bool young = !lived || std::chrono::steady_clock::now() - born_ < adult;
  wait_ = young ? std::clamp(wait_ * 2, first_wait, longest_wait) : 0ms;
  pause_.expires_after(wait_);
  pause_.async_wait([self = shared_from_this()](error_code wrong) {
    if (!wrong)
      self->start();
  });
}

void zygote_link::replace() {
  if (control_)
    ::syscall(SYS_pidfd_send_signal, process_.native_handle(), SIGKILL, nullptr,
              0);
  control_.reset();
}

void zygote_link::stop() {
  stopped_ = true;
  pause_.cancel();
  replace();
  if (process_.is_open())
    bury();
}

bool zygote_link::ask(const spawn_order& order, int socket, int lifeline) {
  const int ends[]{socket, lifeline};
  return control_
         && send_frame(control_.get(),
                       {frame_kind::spawn, 0, payload_of(order)}, ends,
                       MSG_DONTWAIT);
}

} // namespace troupe::media
