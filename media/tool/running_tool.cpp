#include "media/tool/running_tool.hpp"

#include "media/tool/process_tree.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <utility>

namespace troupe::media {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using boost::system::error_code;

running_tool::running_tool(runtime& threads, spawned_guard guard,
                           std::string marker, std::size_t max_line,
                           tool_listener listener, std::function<void()> ended)
  : threads_(threads), pid_(guard.pid),
    process_(threads.io(), guard.process.release()),
    control_(std::move(guard.control)),
    output_(threads.io(), guard.output.release(), max_line),
    errors_(threads.io(), guard.errors.release(), max_line),
    marker_(std::move(marker)), listener_(std::move(listener)),
    ended_(std::move(ended)), patience_(threads.io()) {}

void running_tool::start() {
  read(output_, listener_.on_output_line);
  read(errors_, listener_.on_error_line);
  await_guard();
}

void running_tool::stop(std::chrono::milliseconds grace) {
  const guard_stop packet{static_cast<std::uint32_t>(
    std::clamp<std::int64_t>(grace.count(), 0, UINT32_MAX))};
  ::send(control_.get(), &packet, sizeof packet, MSG_DONTWAIT | MSG_NOSIGNAL);
}

std::uint64_t running_tool::activity() const {
  return reaped_ ? 0 : activity_of(pid_);
}

void running_tool::tell(const hear& line, std::string_view text) const {
  if (line && !silent_)
    line(text);
}

/// Reads one block at a time, so that other work has its turn in between.
void running_tool::read(pipe& from, const hear& line) {
  from.end.async_read_some(asio::buffer(from.block),
                           [self = shared_from_this(), &from,
                            &line](error_code wrong, std::size_t size) {
                             const auto take = [&](std::string_view text) {
                               self->tell(line, text);
                             };
                             if (!wrong) {
                               from.lines.feed({from.block.data(), size}, take);
                               return self->read(from, line);
                             }
                             from.lines.finish(take);
                             from.end.close();
                             self->finish_if_over();
                           });
}

void running_tool::await_guard() {
  process_.async_wait(stream::wait_read,
                      [self = shared_from_this()](error_code wrong) {
                        if (!wrong)
                          self->reap_guard();
                      });
}

void running_tool::reap_guard() {
  siginfo_t facts{};
  const auto process = static_cast<id_t>(process_.native_handle());
  if (::waitid(P_PIDFD, process, &facts, WEXITED | WNOHANG) == 0
      && facts.si_pid == 0)
    return await_guard();
  guard_report report;
  const auto size =
    ::recv(control_.get(), &report, sizeof report, MSG_DONTWAIT);
  if (size != sizeof report)
    return kill_strays();
  exit_ = {report.status, report.signal, report.error.data()};
  exit_.used.cpu_ms = report.cpu_ms;
  exit_.used.peak_memory = report.peak_kb << 10;
  close_pipes_soon();
}

/// The guard died without a word, so its tree may live on.
void running_tool::kill_strays() {
  exit_.guard_error = "the guard was killed";
  asio::post(threads_.files(), [self = shared_from_this()] {
    const bool all = kill_marked(self->marker_);
    asio::post(self->threads_.io(), [self, all] {
      if (!all)
        self->exit_.guard_error += ", and its tool is still there";
      self->close_pipes_soon();
    });
  });
}

/// Nobody writes any more: the pipes end as soon as they are read. Should a
/// stray process hold one, it is left to itself after a second.
void running_tool::close_pipes_soon() {
  reaped_ = true;
  patience_.expires_after(1s);
  patience_.async_wait([self = shared_from_this()](error_code stopped) {
    if (stopped)
      return;
    self->output_.end.cancel();
    self->errors_.end.cancel();
  });
  finish_if_over();
}

void running_tool::finish_if_over() {
  if (!reaped_ || output_.end.is_open() || errors_.end.is_open())
    return;
  patience_.cancel();
  const auto ended = std::exchange(ended_, nullptr);
  if (!ended)
    return;
  // What hears may own this tool: let go of it.
  const auto listener = std::exchange(listener_, {});
  if (listener.on_exit && !silent_)
    listener.on_exit(exit_);
  ended();
}

} // namespace troupe::media
