#include "media/child/child_process.hpp"

#include "config/log.hpp"

#include <boost/asio/post.hpp>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

/// A child's tasks; how it comes to be and how it ends is in child_birth.cpp
/// and child_death.cpp.
namespace troupe::media {

namespace {

using namespace std::chrono_literals;
using boost::system::error_code;

/// Frames of one child before others have their turn.
constexpr int frames_at_once = 16;
/// What a child sends beside its result is smaller.
constexpr std::size_t least_room = 4096;

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
  forget_result();
  lines_ = 0;
  give_up_at_ = clock::now() + birth_limit;
  if (phase_ == phase::none)
    begin();
  else if (phase_ == phase::idle)
    send_task();
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
  for (int i = 0; i < frames_at_once && *credit_ == credit::here; ++i)
    if (!hear_one())
      break;
  auto lent = credit::lent;
  if (socket_.is_open()
      && !credit_->compare_exchange_strong(lent, credit::awaited))
    listen();
}

frame_credit child_process::lend() {
  *credit_ = credit::lent;
  const auto give_back = [self = shared_from_this(), of = credit_](void*) {
    if (of->exchange(credit::here) != credit::awaited)
      return;
    boost::asio::post(self->timer_.get_executor(), [self, of] {
      if (self->credit_ != of || !self->socket_.is_open())
        return;
      self->stall_at_ = clock::now() + (self->task_ ? self->task_->stall : 0ms);
      self->listen();
    });
  };
  return {this, give_back};
}

/// Where the next frame comes to lie: what follows the first part of a result
/// goes where it belongs, and so is copied once less. Any other frame of a
/// task fits in there, too.
std::span<char> child_process::room() {
  const auto left = whole_ - filled_;
  if (left < least_room)
    return census_->buffer.bytes();
  result_.resize(filled_ + std::min(left, max_payload));
  return std::span{result_}.subspan(filled_);
}

/// False if there is none now.
bool child_process::hear_one() {
  if (!socket_.is_open())
    return false;
  auto from = receive_frame(socket_.native_handle(), room(), MSG_DONTWAIT);
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
  if (from.what.kind == frame_kind::ready)
    return become_ready();
  hear_of_task(from);
}

void child_process::hear_of_task(received_frame& from) {
  if (phase_ == phase::dying)
    return;
  if (phase_ != phase::busy || from.what.task != number_)
    return distrust("it spoke of no task under way");
  if (from.what.kind != frame_kind::result && !from.files.empty())
    return distrust("it sent descriptors unasked");
  switch (from.what.kind) {
  case frame_kind::progress:
    return hear_progress(from.what.payload);
  case frame_kind::log:
    return hear_line(from.what.payload);
  case frame_kind::part:
    return take_part(from.what);
  case frame_kind::result:
    return take_result(from);
  case frame_kind::error:
    return take_error(from.what.payload);
  case frame_kind::read_at:
    return read_for(from.what.payload);
  default:
    return distrust("it sent a frame that no child sends");
  }
}

void child_process::hear_progress(std::string_view payload) {
  child_progress now;
  if (!read_payload(payload, now))
    return distrust("it sent a progress that is none");
  if (std::exchange(done_, now.done) != now.done)
    stall_at_ = clock::now() + task_->stall;
  if (listener_.on_progress && !silent_)
    listener_.on_progress(now, lend());
}

void child_process::hear_line(std::string_view line) {
  if (++lines_ <= max_task_lines && listener_.on_log && !silent_)
    listener_.on_log(line, lend());
}

void child_process::read_for(std::string_view payload) {
  child_read asked;
  const auto source = task_->source;
  if (!source || reading_ || !read_payload(payload, asked) || asked.size == 0
      || asked.size > max_payload)
    return distrust("it asked for what it may not read");
  reading_ = true;
  source->read(asked.offset, asked.size,
               [self = shared_from_this(),
                task = number_](const result<std::string>& bytes) {
                 self->give(task, bytes);
               });
}

void child_process::give(std::uint32_t task, const result<std::string>& bytes) {
  if (phase_ != phase::busy || task != number_ || !reading_)
    return;
  reading_ = false;
  stall_at_ = clock::now() + task_->stall;
  const auto said = bytes ? frame{frame_kind::bytes, number_, *bytes}
                          : frame{frame_kind::unread, number_, {}};
  if (!send_frame(socket_.native_handle(), said))
    lose_socket();
}

void child_process::take_part(const frame& part) {
  const auto bytes = part.payload;
  whole_ = std::max(whole_, filled_ + bytes.size() + part.left);
  if (whole_ > task_->max_result)
    return distrust("its result is larger than it may be");
  if (bytes.data() != result_.data() + filled_) {
    result_.reserve(whole_);
    result_.resize(filled_);
    result_.append(bytes);
  }
  filled_ += bytes.size();
  stall_at_ = clock::now() + task_->stall;
}

void child_process::take_result(received_frame& from) {
  take_part(from.what);
  if (phase_ != phase::busy)
    return;
  result_.resize(filled_);
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
  if (phase_ == phase::unborn && !find_born()) {
    forget_birth();
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
  if (!find_born())
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
  done_ = ~std::uint64_t{0};
  reading_ = false;
  cpu_start_ = cpu_time(pid_);
  oom_kills_ = zygote_->oom_kills();
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
  wake_for_task();
}

void child_process::forget_result() {
  result_.clear();
  filled_ = 0;
  whole_ = 0;
}

/// The child has done its part.
void child_process::end_task(child_end end) {
  forget_result();
  timer_.cancel();
  if (life_ == child_life::lasting) {
    phase_ = phase::idle;
    end.usage.cpu_s =
      std::chrono::duration<double>{cpu_time(pid_) - cpu_start_}.count();
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
  if (phase_ == phase::dying && now >= kill_at_) {
    if (sent_)
      end_with(errc::crashed, "the codec child closed its socket and lived on");
    return kill_it();
  }
  if (phase_ != phase::busy)
    return;
  // Who waits for us cannot go on.
  if (reading_ || *credit_ == credit::awaited)
    stall_at_ = now + task_->stall;
  if (now >= life_at_)
    end_with(errc::timeout, "the codec child took too long");
  else if (now >= stall_at_)
    end_with(errc::timeout, "the codec child made no progress");
  else if (cpu_left() <= 0ms)
    end_with(errc::timeout, "the codec child used more processor time than it "
                            "may");
  else
    wake_for_task();
}

std::chrono::milliseconds child_process::cpu_left() const {
  const auto used = cpu_time(pid_) - cpu_start_;
  return task_->cpu
         - std::chrono::duration_cast<std::chrono::milliseconds>(used);
}

/// Several threads use up what is left sooner than a clock does.
void child_process::wake_for_task() {
  const auto look = std::max<std::chrono::milliseconds>(cpu_left() / 4, 20ms);
  wake_at(std::min({stall_at_, life_at_, clock::now() + look}));
}

} // namespace troupe::media
