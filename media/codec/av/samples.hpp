#pragma once

#include "config/result.hpp"
#include "media/codec/pointers.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace troupe::codec {

/// Samples of a stretch of time, by channel: silence where none were put.
class sample_window {
public:
  /// [from, to), in samples.
  sample_window(std::int64_t from, std::int64_t to, int channels);

  /// Puts `count` samples of each channel from `at` on; what lies outside is
  /// dropped.
  void put(std::int64_t at, float* const* planes, int count);

  [[nodiscard]] std::span<const float> read(int channel, std::int64_t at,
                                            std::size_t count) const;
  [[nodiscard]] std::int64_t to() const noexcept {
    return to_;
  }

private:
  std::int64_t from_;
  std::int64_t to_;
  std::vector<std::vector<float>> planes_;
};

/// Brings decoded audio to a rate and a number of channels, and puts it where
/// its time says.
class resampling {
public:
  resampling(int rate, int channels) : rate_(rate), channels_(channels) {}

  /// @param at time of the frame's first sample, in samples of the output
  [[nodiscard]] result<void> put(const AVFrame& frame, std::int64_t at,
                                 sample_window& into);
  /// What is still in the filter.
  [[nodiscard]] result<void> finish(sample_window& into);

private:
  [[nodiscard]] result<void> begin(const AVFrame& like);
  [[nodiscard]] result<void> convert(const AVFrame* frame, int room,
                                     sample_window& into);

  int rate_;
  int channels_;
  resampler_ptr resampler_;
  int in_rate_ = 0;
  int in_channels_ = 0;
  int in_format_ = -1;
  std::int64_t next_ = INT64_MIN; ///< of the next sample that comes out
};

} // namespace troupe::codec
