#pragma once

#include "config/result.hpp"
#include "media/codec/av/compat.hpp"
#include "media/codec/pointers.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace troupe::codec {

/// A film that is written to a descriptor: MP4 with its index in front, MKV or
/// WebM with its cues there.
class film_file {
public:
  /// @param file can be read and written, and stays its owner's
  [[nodiscard]] static result<std::unique_ptr<film_file>>
  begin(int file, const std::string& container);
  film_file(const film_file&) = delete;
  film_file& operator=(const film_file&) = delete;
  ~film_file();

  /// A track like this one; times of its packets are of `base`.
  [[nodiscard]] result<AVStream*> add_track(const AVStream& like);
  /// After all tracks, before the first packet.
  [[nodiscard]] result<void> write_head();
  /// In the order of decoding of all tracks. @param base of its times
  [[nodiscard]] result<void> write(AVPacket& packet, AVRational base);
  [[nodiscard]] result<void> finish();

private:
  explicit film_file(int file) : file_(file) {}

  [[nodiscard]] std::int64_t opus_delay(const AVStream& track) const;
  [[nodiscard]] failure failure_of(int code, const char* what) const;
  static int write_bytes(void* self, io_bytes* from, int count);
  static std::int64_t seek(void* self, std::int64_t to, int whence);
  static int open_again(AVFormatContext* muxer, AVIOContext** io,
                        const char* name, int how, AVDictionary** with);

  int file_;
  std::int64_t at_ = 0;
  int error_ = 0; ///< errno of what could not be written
  AVIOContext* io_ = nullptr;
  muxer_ptr muxer_;
};

} // namespace troupe::codec
