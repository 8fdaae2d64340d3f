#pragma once

#include "media/codec/pointers.hpp"
#include "media/codec/worker.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

namespace troupe::codec {

/// Decoders that may read what a file holds, by libav's names.
[[nodiscard]] bool may_decode(std::string_view decoder);

/// A file's bytes for libavformat, by a descriptor that was given or by asking
/// the owner: nothing else is opened, whatever the file says of itself.
/// Reading is progress.
class probe_input {
public:
  /// The descriptor stays its owner's. @pre it can seek.
  probe_input(int file, task_context& context);
  /// Reads by asking. @param size negative: not known
  probe_input(std::int64_t size, task_context& context);
  probe_input(const probe_input&) = delete;
  probe_input& operator=(const probe_input&) = delete;
  ~probe_input();

  /// Reads on behalf of another task. @pre the file, if any, is still open.
  void serve(task_context& context) noexcept {
    context_ = &context;
  }
  /// True if something could not be read.
  [[nodiscard]] bool failed() const noexcept {
    return failed_;
  }

  /// Opens the container; null if no demuxer of ours knows it. Streams are
  /// not looked into yet. Must not outlive this.
  [[nodiscard]] input_ptr open();

  [[nodiscard]] std::int64_t size() const noexcept {
    return size_;
  }

  /// Up to `room` bytes from `from` on; 0 at the end, negative on failure.
  [[nodiscard]] std::ptrdiff_t read_at(std::int64_t from, std::uint8_t* into,
                                       std::size_t room);

private:
  static int read(void* self, std::uint8_t* into, int room);
  static std::int64_t seek(void* self, std::int64_t to, int whence);

  probe_input(int file, std::int64_t size, task_context& context);

  int file_; ///< negative: the owner is asked
  task_context* context_;
  std::int64_t size_;
  std::int64_t at_ = 0;
  std::uint64_t read_ = 0;
  bool failed_ = false;
  AVIOContext* io_;
};

} // namespace troupe::codec
