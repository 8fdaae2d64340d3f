#include "media/codec/video_frames.hpp"

#include "media/errc.hpp"

extern "C" {
#include <libavutil/display.h>
}

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace troupe::codec {

namespace {

using media::errc;

/// Pictures of times that differ by rounding are the same.
constexpr double same_s = 0.001;
/// From here on, pictures that do not say so are in the colours of HDTV.
constexpr int least_hd_height = 720;

/// How a display matrix turns what is shown, as EXIF's orientation.
int orientation_of(const AVStream& stream) {
  std::size_t size = 0;
  const auto* matrix =
    av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
  if (!matrix || size < 9 * sizeof(std::int32_t))
    return 1;
  std::array<std::int32_t, 9> numbers{};
  std::copy_n(matrix, sizeof numbers,
              reinterpret_cast<std::uint8_t*>(&numbers));
  const auto angle = av_display_rotation_get(numbers.data());
  if (!std::isfinite(angle))
    return 1;
  constexpr std::array by_quarter{1, 6, 3, 8}; // clockwise
  return by_quarter[static_cast<std::size_t>(std::lround(-angle / 90)) & 3];
}

int colors_of(const AVFrame& frame) {
  switch (frame.colorspace) {
  case AVCOL_SPC_BT709:
    return SWS_CS_ITU709;
  case AVCOL_SPC_BT2020_NCL:
  case AVCOL_SPC_BT2020_CL:
    return SWS_CS_BT2020;
  case AVCOL_SPC_UNSPECIFIED:
    return frame.height >= least_hd_height ? SWS_CS_ITU709 : SWS_CS_ITU601;
  default:
    return SWS_CS_ITU601;
  }
}

} // namespace

video_frames::video_frames(input_ptr input, int stream) noexcept
  : input_(std::move(input)), stream_(input_->streams[stream]),
    frame_(av_frame_alloc()), fresh_(av_frame_alloc()),
    packet_(av_packet_alloc()) {}

result<std::unique_ptr<video_frames>>
video_frames::open(probe_input& source, std::uint64_t most_pixels) {
  auto input = source.open();
  if (!input || avformat_find_stream_info(input.get(), nullptr) < 0)
    return fail(errc::invalid_media, "neither an image nor a video");
  const auto best =
    av_find_best_stream(input.get(), AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  if (best < 0)
    return fail(errc::invalid_media, "there is no picture in it");
  std::unique_ptr<video_frames> made{new video_frames{std::move(input), best}};
  made->most_pixels_ = most_pixels;
  made->measure();
  if (made->width_ <= 0 || made->height_ <= 0)
    return fail(errc::invalid_media, "its pictures have no size");
  if (static_cast<std::uint64_t>(made->width_)
        * static_cast<std::uint64_t>(made->height_)
      > most_pixels)
    return fail(errc::too_large, std::to_string(made->width_) + " x "
                                   + std::to_string(made->height_) + " pixels");
  if (!made->open_decoder())
    return fail(errc::invalid_media, "its codec is not known here");
  return made;
}

void video_frames::measure() {
  const auto& codec = *stream_->codecpar;
  const auto ratio =
    av_guess_sample_aspect_ratio(input_.get(), stream_, nullptr);
  const auto times = ratio.num > 0 && ratio.den > 0 ? av_q2d(ratio) : 1.0;
  width_ = static_cast<int>(std::lround(codec.width * times));
  height_ = codec.height;
  orientation_ = orientation_of(*stream_);
  if (input_->duration > 0)
    duration_s_ = static_cast<double>(input_->duration) / AV_TIME_BASE;
  if (input_->start_time != AV_NOPTS_VALUE)
    begin_s_ = static_cast<double>(input_->start_time) / AV_TIME_BASE;
  for (unsigned i = 0; i < input_->nb_streams; ++i)
    if (input_->streams[i] != stream_)
      input_->streams[i]->discard = AVDISCARD_ALL;
}

bool video_frames::open_decoder() {
  const auto* codec = avcodec_find_decoder(stream_->codecpar->codec_id);
  decoder_.reset(codec ? avcodec_alloc_context3(codec) : nullptr);
  if (!decoder_ || !frame_ || !fresh_ || !packet_
      || avcodec_parameters_to_context(decoder_.get(), stream_->codecpar) < 0)
    return false;
  decoder_->thread_count = 1;
  decoder_->max_pixels = static_cast<std::int64_t>(most_pixels_);
  options wanted;
  wanted.set("codec_whitelist", input_->codec_whitelist);
  return avcodec_open2(decoder_.get(), codec, wanted.out()) >= 0;
}

void video_frames::set_keys_only(bool on) noexcept {
  decoder_->skip_frame = on ? AVDISCARD_NONKEY : AVDISCARD_DEFAULT;
}

/// Gives the decoder its next packet, or the end. False if it had that before.
bool video_frames::feed() {
  for (;;) {
    if (av_read_frame(input_.get(), packet_.get()) < 0)
      return avcodec_send_packet(decoder_.get(), nullptr) >= 0;
    const bool ours = packet_->stream_index == stream_->index;
    // What cannot be decoded is passed over.
    if (ours)
      avcodec_send_packet(decoder_.get(), packet_.get());
    av_packet_unref(packet_.get());
    if (ours)
      return true;
  }
}

bool video_frames::next() {
  for (;;) {
    const auto got = avcodec_receive_frame(decoder_.get(), fresh_.get());
    if (got == 0)
      break;
    if (got != AVERROR(EAGAIN) || !feed())
      return false;
  }
  std::swap(frame_, fresh_);
  if (frame_->best_effort_timestamp != AV_NOPTS_VALUE)
    time_s_ = static_cast<double>(frame_->best_effort_timestamp)
                * av_q2d(stream_->time_base)
              - begin_s_;
  return true;
}

bool video_frames::seek(double to_s, double slack_s) {
  const auto to = static_cast<std::int64_t>(
    std::floor((to_s + same_s + begin_s_) / av_q2d(stream_->time_base)));
  if (av_seek_frame(input_.get(), stream_->index, to, AVSEEK_FLAG_BACKWARD) < 0
      && av_seek_frame(input_.get(), -1, 0, AVSEEK_FLAG_BACKWARD) < 0)
    return false;
  avcodec_flush_buffers(decoder_.get());
  bool some = false;
  while (next()) {
    some = true;
    if (time_s_ >= to_s - slack_s - same_s)
      break;
  }
  return some;
}

std::vector<std::uint8_t> video_frames::pixels(int width, int height) {
  const auto& from = *frame_;
  if (from.width <= 0 || from.height <= 0)
    return {};
  scaler_.reset(sws_getCachedContext(
    scaler_.release(), from.width, from.height,
    static_cast<AVPixelFormat>(from.format), width, height, AV_PIX_FMT_RGB24,
    SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, nullptr, nullptr,
    nullptr));
  if (!scaler_)
    return {};
  const auto* colors = sws_getCoefficients(colors_of(from));
  sws_setColorspaceDetails(scaler_.get(), colors,
                           from.color_range == AVCOL_RANGE_JPEG, colors, 1, 0,
                           1 << 16, 1 << 16);
  std::vector<std::uint8_t> out(static_cast<std::size_t>(width)
                                * static_cast<std::size_t>(height) * 3);
  const std::array<std::uint8_t*, 1> planes{out.data()};
  const std::array<int, 1> strides{width * 3};
  if (sws_scale(scaler_.get(), from.data, from.linesize, 0, from.height,
                planes.data(), strides.data())
      != height)
    return {};
  return out;
}

} // namespace troupe::codec
