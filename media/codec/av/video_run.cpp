#include "media/codec/av/video_run.hpp"

#include "media/av/grid.hpp"
#include "media/codec/av/copy.hpp"
#include "media/codec/av/encoder.hpp"
#include "media/codec/av/segment_writer.hpp"
#include "media/codec/av/tracks.hpp"
#include "media/codec/av/video_encoder.hpp"
#include "media/codec/probe_streams.hpp"

#include <chrono>

namespace troupe::codec {

using media::av_order;
using media::av_result;
using media::errc;

namespace {

using clock = std::chrono::steady_clock;

} // namespace

/// What one segment is being made of. Its encoder is opened by its first frame.
struct video_run::segment {
  const av_order& order;
  task_context& context;
  codec_ptr encoder{};
  std::vector<packet_ptr> packets{};
  std::uint32_t frames = 0;
  bool ended = false; ///< the source has no more
  clock::time_point begun = clock::now();

  [[nodiscard]] result<void> add(AVFrame& frame, const AVStream& stream) {
    if (!encoder) {
      auto opened = open_video_encoder(order.video, frame, stream);
      if (!opened)
        return opened.error();
      encoder = std::move(*opened);
    }
    frame.pict_type = frames == 0 ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    ++frames;
    // Encoding is life, too, where long nothing is read.
    context.progress(frames, 0);
    return encode(*encoder, &frame, packets);
  }
};

video_run::video_run(av_source& source, const av_order& order, decoding decoder,
                     int rotation)
  : source_(&source), like_(order), decoder_(std::move(decoder)),
    filter_(order.video, rotation, decoder_.stream().time_base),
    rotation_(rotation) {}

result<std::unique_ptr<video_run>> video_run::open(av_source& source,
                                                   const av_order& order) {
  auto* stream = source.stream(order.track);
  if (!stream || stream->codecpar->codec_type != AVMEDIA_TYPE_VIDEO)
    return fail(errc::bad_params, "there is no such track");
  const auto& base = stream->time_base;
  if (order.base.num != base.num || order.base.den != base.den)
    return fail(errc::source_changed, "its time base is another");
  auto decoder = decoding::open(source, *stream);
  if (!decoder)
    return decoder.error();
  return std::unique_ptr<video_run>{
    new video_run{source, order, std::move(*decoder), rotation_of(*stream)}};
}

bool video_run::fits(const av_order& order) const {
  return order.track == like_.track && order.video == like_.video
         && order.origin_us == like_.origin_us && order.base == like_.base;
}

result<void> video_run::enter(const av_order& order) {
  const auto& stream = decoder_.stream();
  source_->choose(stream);
  auto key = source_->find_key(
    stream, file_time(order, order.key, stream.time_base), false);
  if (!key)
    return key.error();
  decoder_.restart(std::move(*key));
  filter_ = picture_filter{like_.video, rotation_, stream.time_base};
  held_.reset();
  before_.reset();
  shown_.reset();
  newest_ = INT64_MIN;
  return {};
}

/// From `start` on, in order; those before it are dropped.
result<frame_ptr> video_run::next_picture(std::int64_t start) {
  const auto origin = origin_in(like_, decoder_.stream().time_base);
  for (;;) {
    auto ready = filter_.take();
    if (!ready || *ready)
      return ready;
    auto frame = decoder_.next();
    if (!frame)
      return frame.error();
    if (!*frame) {
      if (auto put = filter_.put(nullptr); !put)
        return put.error();
      return filter_.take();
    }
    (*frame)->pts -= origin;
    if ((*frame)->pts <= newest_)
      continue;
    newest_ = (*frame)->pts;
    if (newest_ < start)
      before_ = std::move(*frame);
    else if (auto put = filter_.put(std::move(*frame)); !put)
      return put.error();
  }
}

result<void> video_run::fill(segment& made) {
  const auto& order = made.order;
  const auto& stream = decoder_.stream();
  for (;;) {
    auto picture =
      held_ ? result<frame_ptr>{std::move(held_)} : next_picture(order.start);
    if (!picture)
      return picture.error();
    if (!*picture) {
      made.ended = true;
      return {};
    }
    if ((*picture)->pts >= order.end && !order.last) {
      held_ = std::move(*picture);
      return {};
    }
    shown_ = std::move(*picture);
    if (auto added = made.add(*shown_, stream); !added)
      return added;
  }
}

/// Where no frame begins in a segment, the one that is still shown does.
result<void> video_run::stand_in(segment& made) {
  if (!shown_ && before_) {
    picture_filter alone{like_.video, rotation_, decoder_.stream().time_base};
    if (auto put = alone.put(std::move(before_)); !put)
      return put;
    if (auto put = alone.put(nullptr); !put)
      return put;
    auto ready = alone.take();
    if (!ready)
      return ready.error();
    shown_ = std::move(*ready);
  }
  const auto* from = shown_ ? shown_.get() : held_.get();
  if (!from)
    return fail(errc::invalid_media, "nothing here can be decoded");
  frame_ptr copy{av_frame_clone(from)};
  if (!copy)
    return fail(errc::memory);
  copy->pts = made.order.start;
  return made.add(*copy, decoder_.stream());
}

result<av_result> video_run::finish(segment& made) {
  const auto alive = [&made] {
    made.context.progress(made.frames + made.packets.size(), 0);
  };
  if (auto ended = encode(*made.encoder, nullptr, made.packets, alive); !ended)
    return ended.error();
  const parameters_ptr codec{avcodec_parameters_alloc()};
  if (!codec
      || avcodec_parameters_from_context(codec.get(), made.encoder.get()) < 0
      || made.packets.empty())
    return fail(errc::memory);
  const auto& order = made.order;
  segment_parts parts;
  parts.codec = codec.get();
  parts.base = decoder_.stream().time_base;
  parts.sequence = order.sequence;
  parts.end = order.end;
  parts.packets = std::move(made.packets);
  auto bytes = write_segment(std::move(parts));
  if (!bytes)
    return bytes.error();
  const std::chrono::duration<double> took = clock::now() - made.begun;
  av_result told;
  told.init = std::move(bytes->init);
  told.media = std::move(bytes->media);
  told.codecs = codecs_of(*codec);
  told.frames = made.frames;
  told.start = order.start;
  told.end = order.end;
  told.speed = static_cast<double>(order.end - order.start) * order.base.num
               / order.base.den / std::max(took.count(), 1e-6);
  return told;
}

result<av_result> video_run::make(const av_order& order,
                                  task_context& context) {
  segment made{order, context};
  if (next_start_ != order.start)
    if (auto entered = enter(order); !entered)
      return entered.error();
  next_start_ = INT64_MIN;
  source_->choose(decoder_.stream());
  decoder_.skip_before(
    file_time(order, order.start, decoder_.stream().time_base));
  if (auto filled = fill(made); !filled)
    return filled.error();
  const bool missing = made.frames == 0 && made.ended;
  if (made.frames == 0)
    if (auto stood = stand_in(made); !stood)
      return stood.error();
  auto told = finish(made);
  if (const auto most = media::av_most_bytes(order);
      told && told->media.size() > most)
    return fail(errc::too_large, "a segment has more than "
                                   + std::to_string(most >> 20) + " MB");
  if (told) {
    next_start_ = order.end;
    told->missing = missing;
  }
  return told;
}

} // namespace troupe::codec
