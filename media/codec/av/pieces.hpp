#pragma once

#include "media/av/pack.hpp"
#include "media/codec/pointers.hpp"

#include <cstdint>
#include <vector>

namespace troupe::codec {

/// Parts of a pack, one after the other, as if they were one file of MP4.
class pieces {
public:
  /// The descriptor stays its owner's.
  pieces(int file, std::vector<media::pack_entry> parts);
  pieces(const pieces&) = delete;
  pieces& operator=(const pieces&) = delete;
  ~pieces();

  /// Null if they are none. Must not outlive this.
  [[nodiscard]] input_ptr open();

  /// True if something could not be read.
  [[nodiscard]] bool failed() const noexcept {
    return failed_;
  }

private:
  static int read(void* self, std::uint8_t* into, int room);
  static std::int64_t seek(void* self, std::int64_t to, int whence);

  int file_;
  std::vector<media::pack_entry> parts_;
  std::vector<std::int64_t> begins_; ///< of each part, and the end of all
  std::int64_t at_ = 0;
  bool failed_ = false;
  AVIOContext* io_;
};

} // namespace troupe::codec
