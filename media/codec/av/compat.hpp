#pragma once

#include "media/codec/pointers.hpp"

#include <cstdint>
#include <span>

/// What libav 5.1 (Debian 12) and 7.1 (Debian 13) spell differently.
namespace troupe::codec {

/// A stream's side data of this kind; empty: none.
[[nodiscard]] inline std::span<const std::uint8_t>
side_data(const AVStream& stream, AVPacketSideDataType kind) {
#if LIBAVCODEC_VERSION_MAJOR >= 61
  const auto& codec = *stream.codecpar;
  const auto* found = av_packet_side_data_get(codec.coded_side_data,
                                              codec.nb_coded_side_data, kind);
  return found ? std::span{found->data, found->size}
               : std::span<std::uint8_t>{};
#else
  std::size_t size = 0;
  const auto* data = av_stream_get_side_data(&stream, kind, &size);
  return {data, data ? size : 0};
#endif
}

[[nodiscard]] inline bool is_interlaced(const AVFrame& frame) {
#if LIBAVUTIL_VERSION_MAJOR >= 59
  return (frame.flags & AV_FRAME_FLAG_INTERLACED) != 0;
#else
  return frame.interlaced_frame != 0;
#endif
}

[[nodiscard]] inline std::int64_t duration_of(const AVFrame& frame) {
#if LIBAVUTIL_VERSION_MAJOR >= 58
  return frame.duration;
#else
  return frame.pkt_duration;
#endif
}

/// Whether Matroska's muxer puts Opus later by the delay that it tells readers
/// to take off again.
inline constexpr bool adds_opus_delay = LIBAVFORMAT_VERSION_MAJOR >= 60;

/// What a writer of ours is given.
#if LIBAVFORMAT_VERSION_MAJOR >= 61
using io_bytes = const std::uint8_t;
#else
using io_bytes = std::uint8_t;
#endif

} // namespace troupe::codec
