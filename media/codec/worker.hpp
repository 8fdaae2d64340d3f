#pragma once

#include "media/child/frame.hpp"
#include "media/errc.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace troupe::codec {

/// What a child is asked to do.
struct task_request {
  std::string_view params;
  std::span<const int> files; ///< open descriptors, owned by the child's loop
};

/// How it ended: a result, or why there is none.
struct task_answer {
  media::errc code = media::errc::none;
  std::string text; ///< the result's bytes, or a message
};

/// The way to the owner while a task runs. Sending may block until the owner
/// has read what was sent before.
class task_context {
public:
  explicit task_context(std::uint32_t task) : task_(task) {}

  /// May be called as often as there is something to tell.
  void progress(std::uint64_t done, std::uint64_t total);
  void log(std::string_view line);

  /// Reads from the task's source by asking the owner: up to `into.size()`
  /// bytes, at least one but at the source's end; negative if it cannot be
  /// read. Waits.
  [[nodiscard]] std::ptrdiff_t read_at(std::uint64_t offset,
                                       std::span<std::uint8_t> into);

private:
  std::uint32_t task_;
  std::unique_ptr<media::frame_buffer> answer_; ///< made for the first read
  std::chrono::steady_clock::time_point next_{};
};

struct task_entry {
  std::string_view name;
  task_answer (*run)(const task_request&, task_context&);
};

/// What the children of one zygote can do.
using task_table = std::span<const task_entry>;

/// A child's life after its birth: one task after the other, until its socket
/// ends. The task `sandbox` answers with `walls`, what the child is confined
/// by.
[[noreturn]] void serve_tasks(task_table tasks, const std::string& walls);

} // namespace troupe::codec
