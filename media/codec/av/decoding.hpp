#pragma once

#include "config/result.hpp"
#include "media/codec/av/source.hpp"
#include "media/codec/pointers.hpp"

#include <cstdint>

namespace troupe::codec {

/// Decodes one stream of a source. Broken packets give no frames.
class decoding {
public:
  /// `invalid_media` where no decoder of ours is there.
  [[nodiscard]] static result<decoding> open(av_source& source,
                                             AVStream& stream);

  /// Goes on with this packet, after a seek. Nothing of before comes.
  void restart(packet_ptr first);

  /// Frames that are shown before this time need not be decoded where no other
  /// depends on them.
  void skip_before(std::int64_t time) {
    wanted_from_ = time;
  }

  /// The next frame, its `pts` set; null at the end.
  [[nodiscard]] result<frame_ptr> next();

  [[nodiscard]] const AVStream& stream() const noexcept {
    return *stream_;
  }

private:
  decoding(av_source& source, AVStream& stream, codec_ptr codec)
    : source_(&source), stream_(&stream), codec_(std::move(codec)) {}

  [[nodiscard]] result<void> feed();

  av_source* source_;
  AVStream* stream_;
  codec_ptr codec_;
  packet_ptr pending_; ///< read already
  std::int64_t wanted_from_ = INT64_MIN;
  std::int64_t expected_ = AV_NOPTS_VALUE; ///< of a frame that says no time
  bool drained_ = false;                   ///< the decoder was told of the end
};

} // namespace troupe::codec
