#include "media/tool/spawn.hpp"

#include "media/errc.hpp"
#include "media/process_start.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace troupe::media {

namespace {

failure system_failure(const char* what, int error = errno) {
  return fail(errc::io_error, std::string{what} + ": "
                                + std::generic_category().message(error));
}

struct channel {
  descriptor ours;
  descriptor theirs; ///< `moved_up`
};

channel make_pipe() {
  int ends[2]{-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return {};
  const descriptor low{ends[1]};
  channel made{descriptor{ends[0]}, moved_up(low.get())};
  ::fcntl(made.ours.get(), F_SETFL, O_NONBLOCK);
  return made;
}

/// The order in a memory file: of any length, and seen by nobody else.
descriptor make_order_file(const guard_order& order) {
  const descriptor low{::memfd_create("order", MFD_CLOEXEC)};
  auto file = moved_up(low.get());
  const auto bytes = encode(order);
  const auto size = static_cast<ssize_t>(bytes.size());
  if (file && ::pwrite(file.get(), bytes.data(), bytes.size(), 0) != size)
    file.reset();
  return file;
}

} // namespace

result<spawned_guard> spawn_guard(const std::filesystem::path& program,
                                  const guard_order& order) {
  auto output = make_pipe();
  auto errors = make_pipe();
  auto control = make_socket_ends();
  const auto order_file = make_order_file(order);
  if (!output.theirs || !errors.theirs || !control.theirs || !order_file)
    return system_failure("no descriptors for a tool");
  process_start start;
  start.hand_over(output.theirs, 1);
  start.hand_over(errors.theirs, 2);
  start.hand_over(order_file, order_fd);
  start.hand_over(control.theirs, control_fd);
  auto made =
    start.run(program, {"tool-guard", order.argv.front()}, {}, control_fd);
  if (!made.process)
    return system_failure(program.c_str());
  return spawned_guard{made.pid, std::move(made.process),
                       std::move(control.ours), std::move(output.ours),
                       std::move(errors.ours)};
}

} // namespace troupe::media
