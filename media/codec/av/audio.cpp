#include "media/codec/av/audio.hpp"

#include "media/codec/av/copy.hpp"
#include "media/codec/av/decoding.hpp"
#include "media/codec/av/encoder.hpp"
#include "media/codec/av/failing.hpp"
#include "media/codec/av/frame_times.hpp"
#include "media/codec/av/samples.hpp"
#include "media/codec/av/segment_writer.hpp"
#include "media/codec/probe_streams.hpp"

extern "C" {
#include <libavutil/intreadwrite.h>
}

#include <algorithm>
#include <optional>

namespace troupe::codec {

namespace {

using media::av_order;
using media::av_result;
using media::errc;

/// How a codec cuts time. Frames before and after a segment are encoded and
/// thrown away: Opus predicts for long; AAC's only overlap, but libavcodec's
/// encoder seeks its rate for some seconds, with errors that are heard.
struct framing {
  int samples;
  int before;
  int after;
};

framing framing_of(const media::av_audio_settings& wanted) {
  return wanted.codec == "opus" ? framing{opus_samples, 25, 2}
                                : framing{1024, 250, 2};
}

/// What decoders need to get right, in microseconds.
constexpr std::int64_t decoded_before_us = 250'000;

/// A segment's frames, counted from time 0 on.
struct stretch {
  std::int64_t first = 0;
  std::int64_t last = 0; ///< exclusive
};

std::int64_t frame_at(const av_order& order, std::int64_t time) {
  const AVRational frame{framing_of(order.audio).samples,
                         static_cast<int>(order.audio.sample_rate)};
  return av_rescale_q_rnd(time, {order.base.num, order.base.den}, frame,
                          AV_ROUND_UP);
}

/// The first segment has what is heard before the first picture, too.
stretch frames_of(const av_order& order) {
  if (order.primer)
    return {0, 0};
  const auto first =
    order.sequence == 0
      ? 0
      : std::max<std::int64_t>(frame_at(order, order.start), 0);
  return {first, std::max(frame_at(order, order.end), first + 1)};
}

result<codec_ptr> open_encoder(const media::av_audio_settings& wanted) {
  const bool opus = wanted.codec == "opus";
  if (!opus && wanted.codec != "aac")
    return fail(errc::bad_params, "no encoder for " + wanted.codec);
  // libav's own encoder of Opus is an experiment.
  const auto* codec = avcodec_find_encoder_by_name(opus ? "libopus" : "aac");
  codec_ptr made{codec ? avcodec_alloc_context3(codec) : nullptr};
  if (!made)
    return fail(errc::tool_missing, "libavcodec has no " + wanted.codec);
  made->sample_rate = static_cast<int>(wanted.sample_rate);
  av_channel_layout_default(&made->ch_layout,
                            static_cast<int>(wanted.channels));
  made->sample_fmt = opus ? AV_SAMPLE_FMT_FLT : AV_SAMPLE_FMT_FLTP;
  made->bit_rate = static_cast<std::int64_t>(wanted.bitrate);
  made->time_base = {1, made->sample_rate};
  made->thread_count = 1;
  made->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_BITEXACT;
  if (const int done = avcodec_open2(made.get(), codec, nullptr); done < 0)
    return av_failure(done, "the audio encoder does not open");
  return made;
}

/// An encoder's own at the end of a track is not heard; what primes a decoder
/// lies before time 0 or the window.
void drop_padding(AVFrame& frame) {
  const auto* told = av_frame_get_side_data(&frame, AV_FRAME_DATA_SKIP_SAMPLES);
  if (!told || told->size < 8)
    return;
  const auto padding = AV_RL32(told->data + 4);
  frame.nb_samples -= static_cast<int>(
    std::min(padding, static_cast<std::uint32_t>(frame.nb_samples)));
}

/// What the track has to be heard in the window's time.
result<void> decode(av_source& source, AVStream& stream, const av_order& order,
                    std::int64_t from, sample_window& into) {
  auto decoder = decoding::open(source, stream);
  if (!decoder)
    return decoder.error();
  const auto rate = static_cast<int>(order.audio.sample_rate);
  const auto origin = origin_in(order, stream.time_base);
  const auto begin =
    av_rescale_q(from, {1, rate}, stream.time_base) + origin
    - av_rescale_q(decoded_before_us, AV_TIME_BASE_Q, stream.time_base);
  auto packet = source.find_before(stream, begin);
  if (!packet)
    return packet.error();
  if (!*packet)
    return {};
  decoder->restart(std::move(*packet));
  std::optional<frame_times> times;
  resampling resampler{rate, static_cast<int>(order.audio.channels)};
  for (;;) {
    auto frame = decoder->next();
    if (!frame)
      return frame.error();
    if (!*frame)
      break;
    if (!times)
      times.emplace(stream.time_base, *stream.codecpar,
                    frame_size_of(*stream.codecpar, (*frame)->nb_samples));
    const auto at = av_rescale_q(times->snap((*frame)->pts - origin),
                                 times->base(), {1, rate});
    if (at >= into.to())
      break;
    drop_padding(**frame);
    if (auto put = resampler.put(**frame, at, into); !put)
      return put;
  }
  return resampler.finish(into);
}

/// Channel by channel, or in turns, as the encoder wants them.
void fill(AVFrame& frame, const sample_window& samples) {
  const auto count = static_cast<std::size_t>(frame.nb_samples);
  const int channels = frame.ch_layout.nb_channels;
  const bool planar = frame.format == AV_SAMPLE_FMT_FLTP;
  for (int c = 0; c < channels; ++c) {
    const auto from = samples.read(c, frame.pts, count);
    auto* to = reinterpret_cast<float*>(frame.data[planar ? c : 0]);
    for (std::size_t i = 0; i < count; ++i)
      to[planar ? i
                : i * static_cast<std::size_t>(channels)
                    + static_cast<std::size_t>(c)] = from[i];
  }
}

result<std::vector<packet_ptr>> encode_window(AVCodecContext& encoder,
                                              const sample_window& samples,
                                              stretch all) {
  const int frame_samples = encoder.frame_size;
  std::vector<packet_ptr> packets;
  frame_ptr frame{av_frame_alloc()};
  if (!frame)
    return fail(errc::memory);
  for (auto k = all.first; k < all.last; ++k) {
    av_frame_unref(frame.get());
    frame->format = encoder.sample_fmt;
    frame->sample_rate = encoder.sample_rate;
    frame->nb_samples = frame_samples;
    frame->pts = k * frame_samples;
    if (av_channel_layout_copy(&frame->ch_layout, &encoder.ch_layout) < 0
        || av_frame_get_buffer(frame.get(), 0) < 0)
      return fail(errc::memory);
    fill(*frame, samples);
    if (auto done = encode(encoder, frame.get(), packets); !done)
      return done.error();
  }
  if (auto done = encode(encoder, nullptr, packets); !done)
    return done.error();
  return packets;
}

/// What encoders put before the first sample is their primer; a fragment
/// cannot begin before 0.
void take_primer(std::vector<packet_ptr>& packets, std::int64_t padding) {
  std::erase_if(packets, [padding](const packet_ptr& each) {
    return each->pts < -padding || each->pts >= 0;
  });
  for (auto& each : packets)
    each->pts += padding;
}

result<av_result> write(AVCodecContext& encoder, const av_order& order,
                        stretch own, std::vector<packet_ptr> packets) {
  const int frame_samples = encoder.frame_size;
  if (order.primer)
    take_primer(packets, encoder.initial_padding);
  else
    std::erase_if(packets, [own, frame_samples](const packet_ptr& each) {
      return each->pts < own.first * frame_samples
             || each->pts >= own.last * frame_samples;
    });
  const parameters_ptr codec{avcodec_parameters_alloc()};
  if (!codec || avcodec_parameters_from_context(codec.get(), &encoder) < 0)
    return fail(errc::memory);
  if (packets.empty())
    return fail(errc::internal, "no audio was encoded");
  av_result made;
  made.frames = static_cast<std::uint32_t>(packets.size());
  segment_parts parts;
  parts.codec = codec.get();
  parts.base = encoder.time_base;
  parts.sequence = order.sequence;
  parts.end = packets.back()->pts + frame_samples;
  parts.packets = std::move(packets);
  auto bytes = write_segment(std::move(parts));
  if (!bytes)
    return bytes.error();
  made.init = std::move(bytes->init);
  made.media = std::move(bytes->media);
  made.codecs = codecs_of(*codec);
  made.start = order.start;
  made.end = order.end;
  return made;
}

} // namespace

result<av_result> encode_audio(av_source& source, const av_order& order) {
  auto* stream = source.stream(order.track);
  if (!stream || stream->codecpar->codec_type != AVMEDIA_TYPE_AUDIO)
    return fail(errc::bad_params, "there is no such track");
  source.choose(*stream);
  auto encoder = open_encoder(order.audio);
  if (!encoder)
    return encoder.error();
  const auto own = frames_of(order);
  const auto [count, before, after] = framing_of(order.audio);
  const stretch all{own.first - before, own.last + after};
  sample_window samples{all.first * count, all.last * count,
                        static_cast<int>(order.audio.channels)};
  if (auto done = decode(source, *stream, order, all.first * count, samples);
      !done)
    return done.error();
  auto packets = encode_window(**encoder, samples, all);
  if (!packets)
    return packets.error();
  return write(**encoder, order, own, std::move(*packets));
}

} // namespace troupe::codec
