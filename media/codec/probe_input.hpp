#pragma once

#include "media/codec/pointers.hpp"
#include "media/codec/worker.hpp"

#include <cstdint>
#include <memory>

namespace troupe::codec {

/// A file's bytes for libavformat, by a descriptor that was given: nothing
/// else is opened, whatever the file says of itself. Reading is progress.
class probe_input {
public:
  /// The descriptor stays its owner's. @pre it can seek.
  probe_input(int file, task_context& context);
  probe_input(const probe_input&) = delete;
  probe_input& operator=(const probe_input&) = delete;
  ~probe_input();

  /// Opens the container; null if no demuxer of ours knows it. Streams are
  /// not looked into yet. Must not outlive this.
  [[nodiscard]] input_ptr open();

  [[nodiscard]] std::int64_t size() const noexcept {
    return size_;
  }

private:
  static int read(void* self, std::uint8_t* into, int room);
  static std::int64_t seek(void* self, std::int64_t to, int whence);

  int file_;
  task_context& context_;
  std::int64_t size_;
  std::int64_t at_ = 0;
  std::uint64_t read_ = 0;
  AVIOContext* io_;
};

} // namespace troupe::codec
