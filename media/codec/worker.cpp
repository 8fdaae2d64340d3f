#include "media/codec/worker.hpp"

#include "media/child/frame.hpp"
#include "media/child/order.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <vector>

namespace troupe::codec {

namespace {

using namespace media;

constexpr std::chrono::milliseconds progress_pause{100};

/// An owner that is gone leaves nothing to do.
void tell(const frame& what) {
  if (!send_frame(child_socket_fd, what))
    ::_exit(0);
}

void tell(frame_kind kind, std::uint32_t task, std::string_view payload) {
  tell({kind, task, payload});
}

void tell_result(std::uint32_t task, std::string_view bytes) {
  while (bytes.size() > max_payload) {
    const auto part = bytes.substr(0, max_payload);
    bytes.remove_prefix(max_payload);
    tell(
      {frame_kind::part, task, part, static_cast<std::uint32_t>(bytes.size())});
  }
  tell(frame_kind::result, task, bytes);
}

void tell_error(std::uint32_t task, const task_answer& answer) {
  std::string payload(1, static_cast<char>(answer.code));
  payload.append(answer.text, 0, 1000);
  tell(frame_kind::error, task, payload);
}

task_answer run(task_table tasks, const std::string& walls,
                const received_frame& order, task_context& context) {
  const auto payload = order.what.payload;
  const auto end = std::min(payload.find('\0'), payload.size());
  const auto name = payload.substr(0, end);
  if (name == "sandbox")
    return {errc::none, walls};
  const auto at = std::ranges::find(tasks, name, &task_entry::name);
  if (at == tasks.end())
    return {errc::internal, "no such task"};
  std::vector<int> files;
  for (const auto& file : order.files)
    files.push_back(file.get());
  try {
    const auto params = payload.substr(std::min(end + 1, payload.size()));
    return at->run({params, files}, context);
  } catch (const std::bad_alloc&) {
    return {errc::memory, "more memory than a child may have"};
  }
}

} // namespace

void task_context::progress(std::uint64_t done, std::uint64_t total) {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_)
    return;
  next_ = now + progress_pause;
  const child_progress told{done, total};
  tell(frame_kind::progress, task_, payload_of(told));
}

void task_context::log(std::string_view line) {
  tell(frame_kind::log, task_, line.substr(0, 1000));
}

std::ptrdiff_t task_context::read_at(std::uint64_t offset,
                                     std::span<std::uint8_t> into) {
  if (!answer_)
    answer_ = std::make_unique<frame_buffer>();
  const child_read asked{offset, std::min(into.size(), max_payload)};
  tell(frame_kind::read_at, task_, payload_of(asked));
  const auto said = receive_frame(child_socket_fd, *answer_);
  if (said.status != frame_status::taken || said.what.task != task_)
    ::_exit(0);
  if (said.what.kind != frame_kind::bytes)
    return -1;
  const auto bytes = said.what.payload.substr(0, into.size());
  std::ranges::copy(bytes, into.begin());
  return static_cast<std::ptrdiff_t>(bytes.size());
}

void serve_tasks(task_table tasks, const std::string& walls) {
  frame_buffer buffer;
  for (;;) {
    auto order = receive_frame(child_socket_fd, buffer);
    if (order.status != frame_status::taken
        || order.what.kind != frame_kind::task)
      ::_exit(0);
    task_context context{order.what.task};
    const auto answer = run(tasks, walls, order, context);
    order.files.clear();
    if (answer.code == errc::none)
      tell_result(order.what.task, answer.text);
    else
      tell_error(order.what.task, answer);
  }
}

} // namespace troupe::codec
