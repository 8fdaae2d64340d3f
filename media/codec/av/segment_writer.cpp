#include "media/codec/av/segment_writer.hpp"

#include "media/codec/av/boxes.hpp"
#include "media/codec/av/failing.hpp"

#include <algorithm>

namespace troupe::codec {

namespace {

using media::errc;

constexpr const char* movflags = "empty_moov+delay_moov+frag_custom+"
                                 "default_base_moof+frag_discont+"
                                 "skip_trailer";

struct muxing {
  muxer_ptr muxer;
  AVStream* track = nullptr;
};

/// HEVC is `hvc1`, which Safari plays; what else fits MP4 finds libav.
std::uint32_t tag_of(const AVCodecParameters& codec) {
  return codec.codec_id == AV_CODEC_ID_HEVC ? MKTAG('h', 'v', 'c', '1') : 0;
}

result<muxing> begin(const segment_parts& parts) {
  AVFormatContext* raw = nullptr;
  int done = avformat_alloc_output_context2(&raw, nullptr, "mp4", nullptr);
  if (done < 0)
    return av_failure(done, "a muxer");
  muxing made{muxer_ptr{raw}, nullptr};
  raw->flags |= AVFMT_FLAG_BITEXACT;
  raw->avoid_negative_ts = AVFMT_AVOID_NEG_TS_DISABLED;
  // FLAC in MP4.
  raw->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
  made.track = avformat_new_stream(raw, nullptr);
  if (!made.track
      || avcodec_parameters_copy(made.track->codecpar, parts.codec) < 0)
    return fail(errc::memory);
  made.track->codecpar->codec_tag = tag_of(*parts.codec);
  // What is said of the whole track must not depend on this segment.
  made.track->codecpar->bit_rate = 0;
  made.track->time_base = {1, parts.base.den};
  if (done = avio_open_dyn_buf(&raw->pb); done < 0)
    return av_failure(done, "a buffer");
  options wanted;
  wanted.set("movflags", movflags);
  wanted.set("use_editlist", "0");
  wanted.set("write_btrt", "0");
  wanted.set("fragment_index", std::to_string(parts.sequence + 1).c_str());
  if (done = avformat_write_header(raw, wanted.out()); done < 0)
    return av_failure(done, "a segment cannot be begun");
  return made;
}

/// Times of decoding of video; see `write_segment`.
bool order_video(std::vector<packet_ptr>& packets, std::int64_t delay) {
  std::vector<std::int64_t> shown;
  for (const auto& each : packets)
    shown.push_back(each->pts);
  std::ranges::sort(shown);
  const auto start = shown.front();
  auto next = INT64_MAX;
  for (auto i = packets.size(); i-- > 0;) {
    auto& packet = *packets[i];
    packet.pts += delay;
    packet.dts = std::min({shown[i], packet.pts, next - 1});
    next = packet.dts;
  }
  return next == start;
}

void keep_order(std::vector<packet_ptr>& packets) {
  auto next = INT64_MAX;
  for (auto i = packets.size(); i-- > 0;) {
    packets[i]->dts = packets[i]->pts = std::min(packets[i]->pts, next - 1);
    next = packets[i]->pts;
  }
}

void set_durations(std::vector<packet_ptr>& packets, std::int64_t end) {
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const auto next = i + 1 < packets.size() ? packets[i + 1]->dts : end;
    packets[i]->duration = std::max<std::int64_t>(next - packets[i]->dts, 1);
  }
}

/// What the last packet of audio holds ends by itself, whatever comes next.
std::int64_t last_duration(const segment_parts& parts, AVRational base) {
  const auto& codec = *parts.codec;
  if (codec.frame_size > 0 && codec.sample_rate > 0)
    return av_rescale_q(codec.frame_size, {1, codec.sample_rate}, base);
  return parts.packets.back()->duration;
}

result<segment_bytes> split(AVFormatContext& muxer) {
  std::uint8_t* raw = nullptr;
  const int size = avio_close_dyn_buf(muxer.pb, &raw);
  muxer.pb = nullptr;
  const std::unique_ptr<std::uint8_t, decltype(&av_free)> held{raw, &av_free};
  const std::string_view bytes{reinterpret_cast<const char*>(raw),
                               static_cast<std::size_t>(std::max(size, 0))};
  const auto cut = find_box(bytes, "moof", 0, bytes.size());
  if (cut == bytes.npos)
    return fail(errc::invalid_media, "no fragment was written");
  return segment_bytes{std::string{bytes.substr(0, cut)},
                       std::string{bytes.substr(cut)}};
}

} // namespace

result<segment_bytes> write_segment(segment_parts parts) {
  auto begun = begin(parts);
  if (!begun)
    return begun.error();
  auto& muxer = *begun->muxer;
  const auto& codec = *parts.codec;
  const auto base = begun->track->time_base;
  for (auto& each : parts.packets)
    av_packet_rescale_ts(each.get(), parts.base, base);
  const auto end = av_rescale_q(parts.end, parts.base, base);
  const bool video = codec.codec_type == AVMEDIA_TYPE_VIDEO;
  const auto delay = av_rescale_q(1, video_delay, base);
  if (!video)
    keep_order(parts.packets);
  else if (!order_video(parts.packets, delay))
    return fail(errc::invalid_media, "frames are too far out of order");
  const auto last = video ? 0 : last_duration(parts, base);
  set_durations(parts.packets, end);
  if (last > 0)
    parts.packets.back()->duration = last;
  for (auto& each : parts.packets) {
    each->stream_index = 0;
    each->pos = -1;
    if (const int done = av_write_frame(&muxer, each.get()); done < 0)
      return av_failure(done, "a packet cannot be written");
  }
  // The first gives the movie box, the second the fragment.
  for (int i = 0; i < 2; ++i)
    if (const int done = av_write_frame(&muxer, nullptr); done < 0)
      return av_failure(done, "a segment cannot be ended");
  auto made = split(muxer);
  if (made && video && !add_edit(made->init, static_cast<std::uint32_t>(delay)))
    return fail(errc::internal, "an init without a track");
  return made;
}

} // namespace troupe::codec
