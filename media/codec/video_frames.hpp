#pragma once

#include "config/result.hpp"
#include "media/codec/pointers.hpp"
#include "media/codec/probe_input.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace troupe::codec {

/// Pictures of a video's first good stream, one at hand at a time. Times are
/// seconds from its begin. One thread. Invariant: `frame_` holds the picture
/// that the last successful call went to.
class video_frames {
public:
  /// `invalid_media` without a video that can be decoded; `too_large` beyond
  /// `most_pixels` a picture. @pre `source` outlives it
  [[nodiscard]] static result<std::unique_ptr<video_frames>>
  open(probe_input& source, std::uint64_t most_pixels);

  /// 0: unknown.
  [[nodiscard]] double duration_s() const noexcept {
    return duration_s_;
  }
  /// Of all pictures, with square pixels, before turning.
  [[nodiscard]] int width() const noexcept {
    return width_;
  }
  [[nodiscard]] int height() const noexcept {
    return height_;
  }
  /// As EXIF's, how pictures have to be turned.
  [[nodiscard]] int orientation() const noexcept {
    return orientation_;
  }
  [[nodiscard]] double time_s() const noexcept {
    return time_s_;
  }

  /// Goes to the first picture that is shown at that time or later, or up to
  /// `slack_s` earlier if decoding can begin there; else to the last before.
  /// False if there is none at all.
  [[nodiscard]] bool seek(double to_s, double slack_s);
  /// Goes to the next picture; false at the end.
  [[nodiscard]] bool next();
  /// Only pictures that need no others are decoded from now on, or all.
  void set_keys_only(bool on) noexcept;

  /// The picture at hand in that size: red, green and blue, row after row.
  /// Empty if it cannot be converted.
  [[nodiscard]] std::vector<std::uint8_t> pixels(int width, int height);

private:
  video_frames(input_ptr input, int stream) noexcept;
  [[nodiscard]] bool open_decoder();
  void measure();
  [[nodiscard]] bool feed();

  input_ptr input_;
  AVStream* stream_;
  codec_ptr decoder_;
  frame_ptr frame_;
  frame_ptr fresh_;
  packet_ptr packet_;
  scaler_ptr scaler_;
  double duration_s_ = 0;
  double begin_s_ = 0;
  double time_s_ = 0;
  int width_ = 0;
  int height_ = 0;
  int orientation_ = 1;
  std::uint64_t most_pixels_ = 0;
};

} // namespace troupe::codec
