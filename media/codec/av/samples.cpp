#include "media/codec/av/samples.hpp"

#include "media/codec/av/failing.hpp"

#include <algorithm>
#include <cstdlib>

namespace troupe::codec {

namespace {

using media::errc;

/// Times that differ by less than 1/500 s are of rounding.
constexpr int rounding = 500;

} // namespace

sample_window::sample_window(std::int64_t from, std::int64_t to, int channels)
  : from_(from), to_(std::max(from, to)),
    planes_(static_cast<std::size_t>(channels),
            std::vector<float>(static_cast<std::size_t>(to_ - from_))) {}

void sample_window::put(std::int64_t at, float* const* planes, int count) {
  const auto begin = std::max(at, from_);
  const auto end = std::min(at + count, to_);
  for (std::size_t c = 0; begin < end && c < planes_.size(); ++c)
    std::copy(planes[c] + (begin - at), planes[c] + (end - at),
              planes_[c].begin() + (begin - from_));
}

std::span<const float> sample_window::read(int channel, std::int64_t at,
                                           std::size_t count) const {
  return std::span{planes_[static_cast<std::size_t>(channel)]}.subspan(
    static_cast<std::size_t>(at - from_), count);
}

result<void> resampling::begin(const AVFrame& like) {
  AVChannelLayout out;
  av_channel_layout_default(&out, channels_);
  SwrContext* raw = nullptr;
  AVChannelLayout in{};
  if (av_channel_layout_copy(&in, &like.ch_layout) < 0)
    return fail(errc::memory);
  // Swresample mixes what has an order only.
  if (in.order == AV_CHANNEL_ORDER_UNSPEC)
    av_channel_layout_default(&in, like.ch_layout.nb_channels);
  int done = swr_alloc_set_opts2(&raw, &out, AV_SAMPLE_FMT_FLTP, rate_, &in,
                                 static_cast<AVSampleFormat>(like.format),
                                 like.sample_rate, 0, nullptr);
  av_channel_layout_uninit(&in);
  resampler_.reset(raw);
  if (done >= 0)
    done = swr_init(raw);
  if (done < 0)
    return av_failure(done, "audio cannot be resampled");
  in_rate_ = like.sample_rate;
  in_channels_ = like.ch_layout.nb_channels;
  in_format_ = like.format;
  next_ = INT64_MIN;
  return {};
}

result<void> resampling::convert(const AVFrame* frame, int room,
                                 sample_window& into) {
  std::vector<std::vector<float>> planes(
    static_cast<std::size_t>(channels_),
    std::vector<float>(static_cast<std::size_t>(room)));
  std::vector<float*> out;
  for (auto& each : planes)
    out.push_back(each.data());
  const int count = swr_convert(
    resampler_.get(), reinterpret_cast<std::uint8_t**>(out.data()), room,
    frame ? const_cast<const std::uint8_t**>(frame->extended_data) : nullptr,
    frame ? frame->nb_samples : 0);
  if (count < 0)
    return av_failure(count, "audio cannot be resampled");
  into.put(next_, out.data(), count);
  next_ += count;
  return {};
}

result<void> resampling::put(const AVFrame& frame, std::int64_t at,
                             sample_window& into) {
  const bool fits = resampler_ && frame.sample_rate == in_rate_
                    && frame.ch_layout.nb_channels == in_channels_
                    && frame.format == in_format_;
  if (!fits)
    if (auto begun = begin(frame); !begun)
      return begun;
  const auto delay = swr_get_delay(resampler_.get(), rate_);
  if (next_ == INT64_MIN || std::llabs(next_ + delay - at) > rate_ / rounding)
    next_ = at - delay;
  const auto room =
    av_rescale_rnd(frame.nb_samples, rate_, in_rate_, AV_ROUND_UP) + delay + 64;
  return convert(&frame, static_cast<int>(room), into);
}

result<void> resampling::finish(sample_window& into) {
  if (!resampler_ || next_ == INT64_MIN)
    return {};
  return convert(nullptr,
                 static_cast<int>(swr_get_delay(resampler_.get(), rate_)) + 64,
                 into);
}

} // namespace troupe::codec
