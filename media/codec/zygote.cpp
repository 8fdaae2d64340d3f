#include "media/codec/zygote.hpp"

#include "media/child/birth_book.hpp"
#include "media/child/frame.hpp"
#include "media/child/order.hpp"
#include "media/codec/confine.hpp"

#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <iterator>
#include <system_error>

namespace troupe::codec {

namespace {

using namespace media;

bool has_one_thread() {
  std::error_code wrong;
  std::filesystem::directory_iterator tasks{"/proc/self/task", wrong};
  return !wrong && std::distance(begin(tasks), end(tasks)) == 1;
}

bool is_socket(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0
         && type == SOCK_SEQPACKET;
}

/// What the server lets some children see.
child_views views_of(std::span<char*> words) {
  constexpr std::string_view font = "font=";
  constexpr std::string_view render = "render=";
  child_views views;
  for (const std::string_view word : words) {
    if (word.starts_with(font))
      views.fonts.emplace_back(word.substr(font.size()));
    if (word.starts_with(render))
      views.render_node = word.substr(render.size());
  }
  return views;
}

/// Keeps its two ends and /dev/null: whatever else is open is the zygote's.
bool take_ends(int socket, int lifeline) {
  return ::dup2(STDOUT_FILENO, STDERR_FILENO) >= 0
         && ::dup2(socket, child_socket_fd) >= 0
         && ::dup2(lifeline, child_lifeline_fd) >= 0
         && ::syscall(SYS_close_range, child_lifeline_fd + 1, ~0u, 0) == 0;
}

[[noreturn]] void live(task_table tasks, const spawn_order& order,
                       const std::vector<descriptor>& ends,
                       confinement& walls) {
  ::prctl(PR_SET_NAME, "troupe-codec");
  walls.shut_files(order.limits.profile);
  if (!take_ends(ends[0].get(), ends[1].get())
      || !arm_lifeline(child_lifeline_fd))
    ::_exit(1);
  walls.close(order.limits);
  const auto pid = static_cast<std::int32_t>(::getpid());
  if (!send_frame(child_socket_fd, {frame_kind::ready, 0, payload_of(pid)}))
    ::_exit(1);
  serve_tasks(tasks, walls.report());
}

/// The kernel notes the child in `line` before it runs: should this zygote be
/// killed now, the child's owner knows whom to reap.
void bear(task_table tasks, const spawn_order& order,
          const std::vector<descriptor>& ends, confinement& walls,
          std::int32_t& line) {
  const auto flags = CLONE_PARENT | CLONE_PARENT_SETTID | SIGCHLD;
  if (::syscall(SYS_clone, flags, nullptr, &line, nullptr, 0) == 0)
    live(tasks, order, ends, walls);
}

} // namespace

int zygote_main(task_table tasks, std::span<char*> words) {
  if (!is_socket(zygote_control_fd)) {
    std::fputs("a zygote is started by the server only\n", stderr);
    return 2;
  }
  if (!has_one_thread()) {
    std::fputs("a zygote must have one thread\n", stderr);
    return 3;
  }
  ::prctl(PR_SET_NAME, "troupe-zygote");
  auto* births = map_birth_page(zygote_births_fd);
  if (!births) {
    std::fputs("a zygote shares memory with its server\n", stderr);
    return 4;
  }
  confinement walls{views_of(words)};
  frame_buffer buffer;
  for (;;) {
    const auto asked = receive_frame(zygote_control_fd, buffer);
    spawn_order order;
    if (asked.status != frame_status::taken)
      return 0;
    if (asked.what.kind == frame_kind::spawn && asked.files.size() == 2
        && read_payload(asked.what.payload, order)
        && order.line < births->size())
      bear(tasks, order, asked.files, walls, (*births)[order.line]);
  }
}

} // namespace troupe::codec
