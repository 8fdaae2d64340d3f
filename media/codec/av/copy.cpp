#include "media/codec/av/copy.hpp"

#include "media/av/grid.hpp"
#include "media/codec/av/failing.hpp"
#include "media/codec/av/frame_times.hpp"
#include "media/codec/av/segment_writer.hpp"
#include "media/codec/probe_streams.hpp"

#include <algorithm>
#include <cstdlib>

namespace troupe::codec {

namespace {

using media::av_order;
using media::av_result;
using media::errc;

/// Seconds of audio that are looked through before a segment's begin, as
/// containers find audio less exactly than keys of video.
constexpr int audio_before_s = 1;

class collector {
public:
  /// False if it has become too large.
  [[nodiscard]] bool add(packet_ptr packet) {
    bytes_ += static_cast<std::size_t>(packet->size);
    packets_.push_back(std::move(packet));
    return bytes_ <= media::av_segment_bytes;
  }
  [[nodiscard]] std::vector<packet_ptr>& packets() noexcept {
    return packets_;
  }

private:
  std::size_t bytes_ = 0;
  std::vector<packet_ptr> packets_;
};

failure too_large() {
  return fail(errc::too_large, "a segment has more than 24 MB");
}

/// Of video: whether the packet, which comes after the segment's key, is in it.
enum class belongs : std::uint8_t { yes, ends, never };
belongs place_of(const AVPacket& packet, const av_order& order,
                 std::int64_t start, std::int64_t end) {
  const auto at = time_of(packet);
  if (at == AV_NOPTS_VALUE || at < start)
    return belongs::never;
  if (at < end || order.last)
    return belongs::yes;
  return (packet.flags & AV_PKT_FLAG_KEY) != 0 ? belongs::ends : belongs::never;
}

result<collector> collect_video(av_source& source, AVStream& stream,
                                const av_order& order) {
  const auto start = file_time(order, order.start, stream.time_base);
  const auto end = file_time(order, order.end, stream.time_base);
  auto packet = source.find_key(stream, start, true);
  if (packet && !*packet)
    return fail(errc::source_changed, "there is no key where there was one");
  collector taken;
  for (; packet && *packet; packet = source.next()) {
    auto& seen = **packet;
    const auto place = place_of(seen, order, start, end);
    if (place == belongs::ends)
      break;
    if (place == belongs::never)
      return fail(errc::source_changed, "frames lie outside their segment");
    if (av_packet_get_side_data(&seen, AV_PKT_DATA_NEW_EXTRADATA, nullptr))
      return fail(errc::invalid_media, "its parameters change");
    seen.pts = time_of(seen);
    if (!taken.add(std::move(*packet)))
      return too_large();
  }
  if (!packet)
    return packet.error();
  return taken;
}

result<collector> collect_audio(av_source& source, AVStream& stream,
                                const av_order& order, frame_times& times) {
  const AVRational base{order.base.num, order.base.den};
  const auto origin = origin_in(order, stream.time_base);
  auto packet = source.find_before(
    stream, file_time(order, order.start, stream.time_base)
              - av_rescale_q(audio_before_s, {1, 1}, stream.time_base));
  collector taken;
  for (; packet && *packet; packet = source.next()) {
    auto& seen = **packet;
    if (time_of(seen) == AV_NOPTS_VALUE)
      continue;
    seen.pts = times.snap(time_of(seen) - origin);
    const bool early =
      seen.pts < 0
      || av_compare_ts(seen.pts, times.base(), order.start, base) < 0;
    // The first segment has all that is heard before the first picture.
    if (early && (order.sequence != 0 || seen.pts < 0))
      continue;
    if (!order.last
        && av_compare_ts(seen.pts, times.base(), order.end, base) >= 0)
      break;
    seen.duration = av_rescale_q(seen.duration, stream.time_base, times.base());
    if (!taken.add(std::move(*packet)))
      return too_large();
  }
  if (!packet)
    return packet.error();
  return taken;
}

result<av_result> write(const AVCodecParameters& codec, AVRational base,
                        const av_order& order, collector taken) {
  const AVRational grid{order.base.num, order.base.den};
  if (taken.packets().empty())
    return fail(errc::invalid_media, "there is nothing in this segment");
  av_result made;
  made.frames = static_cast<std::uint32_t>(taken.packets().size());
  made.start = order.start;
  made.end = order.end;
  made.codecs = codecs_of(codec);
  segment_parts parts;
  parts.codec = &codec;
  parts.base = base;
  parts.sequence = order.sequence;
  parts.end = av_rescale_q(order.end, grid, base);
  parts.packets = std::move(taken.packets());
  auto bytes = write_segment(std::move(parts));
  if (!bytes)
    return bytes.error();
  made.init = std::move(bytes->init);
  made.media = std::move(bytes->media);
  return made;
}

} // namespace

result<av_result> copy_segment(av_source& source, const av_order& order) {
  auto* stream = source.stream(order.track);
  if (!stream)
    return fail(errc::bad_params, "there is no such track");
  source.choose(*stream);
  auto& codec = *stream->codecpar;
  if (codec.codec_type == AVMEDIA_TYPE_VIDEO) {
    auto taken = collect_video(source, *stream, order);
    if (!taken)
      return taken.error();
    const auto origin = origin_in(order, stream->time_base);
    for (auto& each : taken->packets())
      each->pts -= origin;
    return write(codec, stream->time_base, order, std::move(*taken));
  }
  codec.frame_size = frame_size_of(codec);
  frame_times times{stream->time_base, codec, codec.frame_size};
  auto taken = collect_audio(source, *stream, order, times);
  if (!taken)
    return taken.error();
  return write(codec, times.base(), order, std::move(*taken));
}

std::int64_t origin_in(const av_order& order, AVRational base) {
  return av_rescale_q(order.origin_us, AV_TIME_BASE_Q, base);
}

std::int64_t file_time(const av_order& order, std::int64_t time,
                       AVRational base) {
  return av_rescale_q(time, {order.base.num, order.base.den}, base)
         + origin_in(order, base);
}

} // namespace troupe::codec
