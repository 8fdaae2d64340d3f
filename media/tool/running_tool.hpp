#pragma once

#include "media/tool/lines.hpp"
#include "media/tool/spawn.hpp"
#include "media/tool/tool.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>

namespace troupe::media {

/// The server's side of one guard. Everything but construction runs on the io
/// thread. Invariant: it lives until the guard is reaped and both pipes are
/// read to their end; `ended` is then called once.
class running_tool : public std::enable_shared_from_this<running_tool> {
public:
  running_tool(runtime& threads, spawned_guard guard, std::string marker,
               std::size_t max_line, tool_listener listener,
               std::function<void()> ended);

  void start();
  void stop(std::chrono::milliseconds grace);
  /// As `tool::activity`.
  [[nodiscard]] std::uint64_t activity() const;
  /// Its listener hears no more. From any thread.
  void silence() {
    silent_ = true;
  }

private:
  using stream = boost::asio::posix::stream_descriptor;
  using hear = std::function<void(std::string_view)>;

  struct pipe {
    pipe(const boost::asio::any_io_executor& io, int fd, std::size_t max_line)
      : end(io, fd), lines(max_line) {}
    stream end;
    line_splitter lines;
    std::array<char, 64u << 10> block;
  };

  void read(pipe& from, const hear& line);
  void tell(const hear& line, std::string_view text) const;
  void await_guard();
  void reap_guard();
  void kill_strays();
  void close_pipes_soon();
  void finish_if_over();

  runtime& threads_;
  const pid_t pid_;
  stream process_;
  descriptor control_;
  pipe output_;
  pipe errors_;
  std::string marker_;
  tool_listener listener_;
  std::function<void()> ended_;
  boost::asio::steady_timer patience_;
  tool_exit exit_;
  bool reaped_ = false;
  std::atomic<bool> silent_{false};
};

} // namespace troupe::media
