#include "media/child/child_process.hpp"

#include "config/log.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

/// A child's birth and its tasks; how it ends is in child_death.cpp.
namespace troupe::media {

namespace {

using namespace std::chrono_literals;
using boost::system::error_code;

/// A zygote bears a child in milliseconds. One that is silent for so long is
/// stopped or hangs.
constexpr auto zygote_patience = 5s;
constexpr auto birth_limit = 20s;
/// Until another zygote may be there.
constexpr auto birth_pause = 10ms;
/// Frames of one child before others have their turn.
constexpr int frames_at_once = 16;
/// As much of its result as the kernel may keep for a child.
constexpr int socket_room = 1 << 20;

} // namespace

child_process::child_process(runtime& threads,
                             std::shared_ptr<zygote_link> zygote,
                             std::shared_ptr<child_census> census,
                             child_life life, child_limits limits)
  : zygote_(std::move(zygote)), census_(std::move(census)), life_(life),
    limits_(limits), socket_(threads.io()), process_(threads.io()),
    timer_(threads.io()) {}

void child_process::run(child_task task, child_listener listener) {
  task_ = std::move(task);
  listener_ = std::move(listener);
  sent_ = false;
  result_.clear();
  lines_ = 0;
  give_up_at_ = clock::now() + birth_limit;
  if (phase_ == phase::none)
    begin();
  else if (phase_ == phase::idle)
    send_task();
}

// -- birth --------------------------------------------------------------------

void child_process::begin() {
  phase_ = phase::unborn;
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
  if (!zygote_->ask({limits_}, theirs.get(), read_end.get()))
    return false;
  socket_.assign(ours.release());
  return true;
}

/// Its first word, or the zygote's: from now on it can be killed and reaped.
void child_process::meet(received_frame& from) {
  std::int32_t pid = 0;
  if (process_.is_open())
    return;
  if (!read_payload(from.what.payload, pid))
    return give_up("a codec child was born without a name");
  auto process =
    from.files.empty() ? open_process(pid) : std::move(from.files.front());
  if (!process)
    return give_up("no descriptor for a codec child");
  process_.assign(process.release());
  await_death();
  if (verdict_)
    kill_it();
}

void child_process::give_up(std::string message) {
  error_code ignored;
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

// -- frames -------------------------------------------------------------------

void child_process::listen() {
  socket_.async_wait(stream::wait_read,
                     [self = shared_from_this()](error_code wrong) {
                       if (!wrong)
                         self->hear_some();
                     });
}

void child_process::hear_some() {
  for (int i = 0; i < frames_at_once; ++i)
    if (!hear_one())
      break;
  if (socket_.is_open())
    listen();
}

/// False if there is none now.
bool child_process::hear_one() {
  if (!socket_.is_open())
    return false;
  auto from =
    receive_frame(socket_.native_handle(), census_->buffer, MSG_DONTWAIT);
  if (from.status == frame_status::nothing)
    return false;
  if (from.status == frame_status::taken)
    hear(from);
  else if (from.status == frame_status::broken)
    distrust("it sent what is no frame");
  else
    lose_socket();
  return true;
}

void child_process::hear(received_frame& from) {
  const auto kind = from.what.kind;
  if (kind == frame_kind::born)
    return meet(from);
  if (kind != frame_kind::ready)
    return hear_of_task(from);
  meet(from);
  if (phase_ != phase::unborn)
    return;
  phase_ = phase::idle;
  timer_.cancel();
  if (task_)
    send_task();
}

void child_process::hear_of_task(received_frame& from) {
  if (phase_ == phase::dying)
    return;
  if (phase_ != phase::busy || from.what.task != number_)
    return distrust("it spoke of no task under way");
  if (from.what.kind != frame_kind::result && !from.files.empty())
    return distrust("it sent descriptors unasked");
  switch (from.what.kind) {
  case frame_kind::progress: {
    child_progress now;
    if (!read_payload(from.what.payload, now))
      return distrust("it sent a progress that is none");
    stall_at_ = clock::now() + task_->stall;
    if (listener_.on_progress && !silent_)
      listener_.on_progress(now);
    return;
  }
  case frame_kind::log:
    return hear_line(from.what.payload);
  case frame_kind::part:
    return take_part(from.what.payload);
  case frame_kind::result:
    return take_result(from);
  case frame_kind::error:
    return take_error(from.what.payload);
  default:
    return distrust("it sent a frame that no child sends");
  }
}

void child_process::hear_line(std::string_view line) {
  if (++lines_ <= max_task_lines && listener_.on_log && !silent_)
    listener_.on_log(line);
}

void child_process::take_part(std::string_view bytes) {
  if (result_.size() + bytes.size() > task_->max_result)
    return distrust("its result is larger than it may be");
  result_.append(bytes);
  stall_at_ = clock::now() + task_->stall;
}

void child_process::take_result(received_frame& from) {
  take_part(from.what.payload);
  if (phase_ == phase::busy)
    end_task({errc::none, {}, std::move(result_), std::move(from.files), {}});
}

/// Only what a task can find out about its input or itself.
void child_process::take_error(std::string_view payload) {
  constexpr std::array known{errc::invalid_media, errc::too_large,
                             errc::bad_params,    errc::memory,
                             errc::sandbox,       errc::source_changed,
                             errc::io_error,      errc::internal};
  const auto code =
    payload.empty() ? errc::none : static_cast<errc>(payload.front());
  if (std::ranges::find(known, code) == known.end())
    return distrust("it ended with a code that no child has");
  end_task({code, std::string{payload.substr(1)}, {}, {}, {}});
}

/// The other end is closed: whoever held it is dead, or soon will be.
void child_process::lose_socket() {
  error_code ignored;
  socket_.close(ignored);
  if (phase_ == phase::unborn && !process_.is_open()) {
    lifeline_.reset();
    if (verdict_)
      return give_up({});
    return wake_at(clock::now() + birth_pause);
  }
  if (phase_ == phase::dying)
    return;
  phase_ = phase::dying;
  kill_at_ = clock::now() + 1s;
  wake_at(kill_at_);
}

void child_process::distrust(const char* why) {
  if (phase_ == phase::dying)
    return;
  log::warn("a codec child broke the protocol", {{"error", why}});
  if (!process_.is_open())
    return give_up(why);
  end_with(errc::crashed,
           std::string{"the codec child is out of order: "} + why);
  kill_it();
}

// -- the task -----------------------------------------------------------------

void child_process::send_task() {
  const auto now = clock::now();
  stall_at_ = now + task_->stall;
  life_at_ = now + task_->life;
  phase_ = phase::busy;
  sent_ = true;
  std::vector<int> files;
  for (const auto& file : task_->files)
    files.push_back(file.get());
  const auto payload = task_->name + '\0' + task_->params;
  const frame order{frame_kind::task, ++number_, payload};
  const bool fits = payload.size() <= max_payload && files.size() <= max_files;
  if (!fits)
    return end_with(errc::bad_params, "more than a child can be asked for");
  // It has read all before: an error means that it is gone, and that the task
  // is for the next one.
  if (!send_frame(socket_.native_handle(), order, files)) {
    sent_ = false;
    return lose_socket();
  }
  task_->files.clear();
  wake_at(std::min(stall_at_, life_at_));
}

/// The child has done its part.
void child_process::end_task(child_end end) {
  timer_.cancel();
  if (life_ == child_life::lasting) {
    phase_ = phase::idle;
    return conclude(std::move(end));
  }
  verdict_ = std::move(end);
  kill_it();
}

void child_process::conclude(child_end end) {
  task_.reset();
  const auto listener = std::exchange(listener_, {});
  if (listener.on_end && !silent_)
    listener.on_end(std::move(end));
}

// -- time ---------------------------------------------------------------------

void child_process::wake_at(clock::time_point when) {
  timer_.expires_at(when);
  timer_.async_wait([self = shared_from_this()](error_code wrong) {
    if (!wrong)
      self->tick();
  });
}

void child_process::tick() {
  const auto now = clock::now();
  if (phase_ == phase::unborn)
    return tick_unborn(now);
  if (phase_ == phase::dying && now >= kill_at_)
    return kill_it();
  if (phase_ != phase::busy)
    return;
  if (now < std::min(stall_at_, life_at_))
    return wake_at(std::min(stall_at_, life_at_));
  end_with(errc::timeout, now >= life_at_ ? "the codec child took too long"
                                          : "the codec child made no progress");
}

void child_process::tick_unborn(clock::time_point now) {
  const bool asked = socket_.is_open();
  if (now >= give_up_at_)
    return process_.is_open()
             ? end_with(errc::io_error, "a codec child was born mute")
             : give_up("no codec child could be born");
  if (!asked)
    return bear();
  if (now >= patience_at_ && !process_.is_open()) {
    zygote_->replace();
    patience_at_ = now + zygote_patience;
  }
  wake_at(std::max(patience_at_, now + birth_pause));
}

} // namespace troupe::media
