#pragma once

#include "media/av/task.hpp"
#include "media/cache/cache_key.hpp"
#include "media/stream/source.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace troupe::media {

/// One rendition of a source: what its segments are, how each is made, and the
/// name it is kept by. Two of equal keys are the same, whoever asks.
/// Invariant: `key` tells apart all that changes a byte of a segment.
struct stream_line {
  std::string name; ///< in URLs: "v720", "copy", "a1", "ac1", "s2"
  av_kind kind = av_kind::video;
  av_what what = av_what::encode_video;
  av_track track;
  av_video_settings video;
  av_audio_settings audio;
  std::string codecs;          ///< RFC 6381
  std::uint64_t bandwidth = 0; ///< bit/s at most
  std::uint32_t width = 0;     ///< of video, as shown
  std::uint32_t height = 0;
  double frame_rate = 0;
  bool shown = false; ///< of several of its kind, the one to begin with

  source_ptr source;
  std::shared_ptr<const av_index> index;
  cache_key key;

  [[nodiscard]] bool is_encoded() const {
    return what == av_what::encode_video || what == av_what::encode_audio;
  }
  [[nodiscard]] std::uint32_t segments() const;
  /// Where segment n begins, in seconds; of `segments()`: where the last ends.
  /// @pre n <= segments()
  [[nodiscard]] double begin_s(std::uint32_t n) const;
  /// The segment that is shown at a time; the last for what lies beyond.
  [[nodiscard]] std::uint32_t at(double seconds) const;
  /// @pre n < segments()
  [[nodiscard]] av_order order(std::uint32_t n) const;
  [[nodiscard]] cache_key segment_key(std::uint32_t n) const;
  [[nodiscard]] cache_key init_key() const;

private:
  [[nodiscard]] std::size_t border(std::uint32_t n) const;
};
using line_ptr = std::shared_ptr<const stream_line>;

/// Sets `key`. @pre all else is set
void name_line(stream_line& line);

/// "video", "audio", "text"; "copy" for what is copied. For metrics.
[[nodiscard]] std::string_view class_of(const stream_line& line) noexcept;

} // namespace troupe::media
