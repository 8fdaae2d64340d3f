#include "media/child/frame.hpp"
#include "media/child/order.hpp"
#include "media/codec/probe.hpp"
#include "media/codec/zygote.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <thread>
#include <vector>

/// A zygote whose children do what none of ours does: crash, hang, lie, and
/// try to get out of their sandbox.
namespace troupe::codec {

namespace {

using media::errc;

/// What the fault tests order.
task_answer fault(std::string_view name);

/// As ever, but a file may order a fault by its first bytes: "fault:crash\n".
task_answer probe_or_fault(const task_request& request, task_context& context) {
  constexpr std::string_view order = "fault:";
  std::array<char, 32> head{};
  const auto size =
    request.files.empty()
      ? context.read_at(
        0, {reinterpret_cast<std::uint8_t*>(head.data()), head.size()})
      : ::pread(request.files.front(), head.data(), head.size(), 0);
  std::string_view seen{head.data(),
                        static_cast<std::size_t>(std::max<long>(size, 0))};
  if (!seen.starts_with(order))
    return probe(request, context);
  seen.remove_prefix(order.size());
  return fault(seen.substr(0, seen.find('\n')));
}

/// Asks for all of its source and gives it back.
task_answer read_all(const task_request&, task_context& context) {
  std::string all;
  std::vector<std::uint8_t> block(media::max_payload);
  for (;;) {
    const auto size = context.read_at(all.size(), block);
    if (size < 0)
      return {errc::io_error, "it cannot be read"};
    if (size == 0)
      return {errc::none, all};
    all.append(block.begin(), block.begin() + size);
  }
}

/// Tells the same progress again and again.
task_answer mark_time(const task_request&, task_context& context) {
  for (;;) {
    context.progress(1, 2);
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
}

task_answer echo(const task_request& request, task_context& context) {
  context.progress(1, 2);
  context.log("echoing");
  return {errc::none, std::string{request.params}};
}

task_answer pid(const task_request&, task_context&) {
  return {errc::none, std::to_string(::getpid())};
}

/// How many descriptors are open.
task_answer descriptors(const task_request&, task_context&) {
  int count = 0;
  for (int fd = 0; fd < 1024; ++fd)
    count += ::lseek(fd, 0, SEEK_CUR) >= 0 || errno != EBADF ? 1 : 0;
  return {errc::none, std::to_string(count)};
}

task_answer large(const task_request& request, task_context&) {
  std::size_t size = 0;
  const auto digits = request.params;
  std::from_chars(digits.data(), digits.data() + digits.size(), size);
  return {errc::none, std::string(size, 'x')};
}

task_answer crash(const task_request&, task_context&) {
  *static_cast<volatile int*>(nullptr) = 1;
  return {};
}

task_answer abort_it(const task_request&, task_context&) {
  std::abort();
}

task_answer leave(const task_request&, task_context&) {
  ::_exit(7);
}

task_answer hang(const task_request&, task_context&) {
  for (volatile bool on = true; on;)
    continue;
  return {};
}

/// Lives, but comes to no end.
task_answer dawdle(const task_request&, task_context& context) {
  for (std::uint64_t i = 0;; ++i) {
    context.progress(i, 0);
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
}

/// Lives for so many milliseconds.
task_answer nap(const task_request& request, task_context& context) {
  std::size_t steps = 0;
  const auto digits = request.params;
  std::from_chars(digits.data(), digits.data() + digits.size(), steps);
  for (std::size_t i = 0; i < steps / 10; ++i) {
    context.progress(i, 0);
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  return {errc::none, "rested"};
}

task_answer eat(const task_request&, task_context&) {
  std::vector<std::string> eaten;
  for (;;)
    eaten.emplace_back(4u << 20, 'x');
}

task_answer flood(const task_request&, task_context& context) {
  for (int i = 0; i < 5000; ++i)
    context.log("line " + std::to_string(i));
  return {errc::none, "done"};
}

// -- what breaks the protocol -------------------------------------------------

task_answer garbage(const task_request&, task_context&) {
  [[maybe_unused]] const auto sent =
    ::write(media::child_socket_fd, "what?", 5);
  ::sleep(60);
  return {};
}

task_answer twice(const task_request&, task_context&) {
  for (int i = 0; i < 2; ++i)
    if (!media::send_frame(media::child_socket_fd,
                           {media::frame_kind::result, 1, "answer"}))
      ::_exit(0);
  ::sleep(60);
  return {};
}

void send_part(std::string_view bytes, std::uint32_t left) {
  if (!media::send_frame(media::child_socket_fd,
                         {media::frame_kind::part, 1, bytes, left}))
    ::_exit(0);
}

/// A result of 70,009 bytes in parts of odd sizes, with words between them.
task_answer piecemeal(const task_request&, task_context& context) {
  send_part("beginning", 70000);
  context.log("a word");
  send_part(std::string(60000, 'b'), 10000);
  context.progress(1, 2);
  send_part(std::string(7000, 'c'), 3000);
  context.log("another");
  return {errc::none, std::string(3000, 'd')};
}

/// More comes than was said.
task_answer understate(const task_request&, task_context&) {
  send_part("a", 5000);
  send_part(std::string(60000, 'b'), 0);
  return {};
}

/// A part, and then a reason why there is no more.
task_answer break_off(const task_request&, task_context&) {
  send_part("a", 50000);
  return {errc::invalid_media, "half of it is missing"};
}

task_answer close_up(const task_request&, task_context&) {
  ::close(media::child_socket_fd);
  ::sleep(60);
  return {};
}

task_answer unasked(const task_request&, task_context&) {
  const int file = media::child_lifeline_fd;
  [[maybe_unused]] const bool sent = media::send_frame(
    media::child_socket_fd, {media::frame_kind::log, 1, "take this"},
    std::span{&file, 1});
  ::sleep(60);
  return {};
}

// -- ways out -----------------------------------------------------------------

task_answer told(const char* what, long result) {
  if (result >= 0)
    return {errc::none, std::string{what} + " was let through"};
  return {errc::none, "refused"};
}

task_answer fork_it(const task_request&, task_context&) {
  return told("fork", ::fork());
}

task_answer open_socket(const task_request&, task_context&) {
  return told("socket", ::socket(AF_INET, SOCK_STREAM, 0));
}

/// With a socket that it has.
task_answer connect_out(const task_request&, task_context&) {
  const sockaddr nowhere{AF_UNIX, "/"};
  return told("connect",
              ::connect(media::child_socket_fd, &nowhere, sizeof nowhere));
}

/// Tells how many more descriptors it could have.
task_answer leak(const task_request&, task_context&) {
  int count = 0;
  while (::dup(media::child_socket_fd) >= 0)
    ++count;
  return {errc::none, std::to_string(count)};
}

task_answer exec(const task_request&, task_context&) {
  char name[] = "/bin/true";
  char* argv[]{name, nullptr};
  return told("exec", ::execve(name, argv, nullptr));
}

task_answer trace(const task_request&, task_context&) {
  return told("ptrace", ::ptrace(PTRACE_ATTACH, ::getppid(), 0, 0));
}

task_answer kill_parent(const task_request& request, task_context&) {
  int parent = 0;
  const auto digits = request.params;
  std::from_chars(digits.data(), digits.data() + digits.size(), parent);
  return told("kill", ::kill(parent, SIGKILL));
}

task_answer signal_thread(const task_request& request, task_context&) {
  int parent = 0;
  const auto digits = request.params;
  std::from_chars(digits.data(), digits.data() + digits.size(), parent);
  return told("tgkill", ::syscall(SYS_tgkill, parent, parent, SIGKILL));
}

task_answer open_file(const task_request& request, task_context&) {
  const std::string path{request.params};
  return told("open", ::open(path.c_str(), O_RDONLY));
}

task_answer make_file(const task_request& request, task_context&) {
  const std::string path{request.params.empty() ? "made" : request.params};
  return told("creat", ::open(path.c_str(), O_WRONLY | O_CREAT, 0600));
}

task_answer look_at_file(const task_request&, task_context&) {
  struct stat facts {};
  return told("stat", ::stat("/etc/passwd", &facts));
}

task_answer write_elsewhere(const task_request& request, task_context&) {
  // 3 and 4 are its own, those of the task come next.
  const int next = 5 + static_cast<int>(request.files.size());
  for (int fd = next; fd < 256; ++fd)
    if (::write(fd, "x", 1) >= 0)
      return told("write", fd);
  return told("write", -1);
}

task_answer write_to_input(const task_request& request, task_context&) {
  return told("write", ::write(request.files.front(), "x", 1));
}

task_answer make_code(const task_request&, task_context&) {
  void* at = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return told("executable memory", at == MAP_FAILED ? -1 : 0);
}

task_answer gain(const task_request&, task_context&) {
  return told("prctl", ::prctl(PR_SET_DUMPABLE, 1));
}

/// Two threads that compute.
task_answer burn(const task_request& request, task_context& context) {
  std::thread{[] {
    for (volatile bool on = true; on;)
      continue;
  }}.detach();
  return hang(request, context);
}

task_answer make_thread(const task_request&, task_context&) {
  int sum = 0;
  std::thread{[&sum] {
    sum = 42;
  }}.join();
  return {errc::none, std::to_string(sum)};
}

task_answer fault(std::string_view name) {
  task_context none{0};
  if (name == "crash")
    return crash({}, none);
  if (name == "fork")
    return fork_it({}, none);
  if (name == "socket")
    return open_socket({}, none);
  if (name == "eat")
    return eat({}, none);
  if (name == "hang")
    return hang({}, none);
  if (name == "grow") {
    const bool grown = mmap(nullptr, 192u << 20, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0)
                       != MAP_FAILED;
    return {grown ? errc::none : errc::io_error, "{}"};
  }
  if (name == "sleep") {
    std::this_thread::sleep_for(std::chrono::seconds{1});
    return {errc::none, "{}"};
  }
  return {errc::invalid_media, "no such fault"};
}

} // namespace

} // namespace troupe::codec

int main(int argc, char** argv) {
  using namespace troupe::codec;
  static constexpr std::array tasks{task_entry{"probe", &probe_or_fault},
                                    task_entry{"read_all", &read_all},
                                    task_entry{"mark_time", &mark_time},
                                    task_entry{"burn", &burn},
                                    task_entry{"echo", &echo},
                                    task_entry{"pid", &pid},
                                    task_entry{"descriptors", &descriptors},
                                    task_entry{"large", &large},
                                    task_entry{"crash", &crash},
                                    task_entry{"abort", &abort_it},
                                    task_entry{"leave", &leave},
                                    task_entry{"hang", &hang},
                                    task_entry{"dawdle", &dawdle},
                                    task_entry{"nap", &nap},
                                    task_entry{"eat", &eat},
                                    task_entry{"flood", &flood},
                                    task_entry{"garbage", &garbage},
                                    task_entry{"twice", &twice},
                                    task_entry{"piecemeal", &piecemeal},
                                    task_entry{"understate", &understate},
                                    task_entry{"break_off", &break_off},
                                    task_entry{"close", &close_up},
                                    task_entry{"unasked", &unasked},
                                    task_entry{"fork", &fork_it},
                                    task_entry{"socket", &open_socket},
                                    task_entry{"connect", &connect_out},
                                    task_entry{"leak", &leak},
                                    task_entry{"exec", &exec},
                                    task_entry{"ptrace", &trace},
                                    task_entry{"kill", &kill_parent},
                                    task_entry{"tgkill", &signal_thread},
                                    task_entry{"open", &open_file},
                                    task_entry{"make", &make_file},
                                    task_entry{"stat", &look_at_file},
                                    task_entry{"write", &write_elsewhere},
                                    task_entry{"write_input", &write_to_input},
                                    task_entry{"code", &make_code},
                                    task_entry{"gain", &gain},
                                    task_entry{"thread", &make_thread}};
  return zygote_main(tasks, {argv + std::min(argc, 2), argv + argc});
}
