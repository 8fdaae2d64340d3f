#include "media/codec/av/decoding.hpp"

#include "media/codec/av/compat.hpp"
#include "media/codec/av/failing.hpp"

#include <algorithm>
#include <string>

namespace troupe::codec {

using media::errc;

result<decoding> decoding::open(av_source& source, AVStream& stream) {
  const auto& codec = *stream.codecpar;
  const auto* decoder = avcodec_find_decoder(codec.codec_id);
  if (!decoder || !may_decode(decoder->name))
    return fail(errc::invalid_media, std::string{"no decoder for "}
                                       + avcodec_get_name(codec.codec_id));
  codec_ptr made{avcodec_alloc_context3(decoder)};
  if (!made || avcodec_parameters_to_context(made.get(), &codec) < 0)
    return fail(errc::memory);
  made->thread_count = 1;
  made->pkt_timebase = stream.time_base;
  // Frames that were cut would lie beside the grid of their codec.
  if (codec.codec_type == AVMEDIA_TYPE_AUDIO)
    made->flags2 |= AV_CODEC_FLAG2_SKIP_MANUAL;
  if (const int done = avcodec_open2(made.get(), decoder, nullptr); done < 0)
    return av_failure(done, std::string{"decoding "} + decoder->name);
  return decoding{source, stream, std::move(made)};
}

void decoding::restart(packet_ptr first) {
  avcodec_flush_buffers(codec_.get());
  pending_ = std::move(first);
  expected_ = AV_NOPTS_VALUE;
  drained_ = false;
}

result<void> decoding::feed() {
  auto packet = std::move(pending_);
  if (!packet) {
    auto read = source_->next();
    if (!read)
      return read.error();
    packet = std::move(*read);
  }
  if (!packet) {
    drained_ = true;
    avcodec_send_packet(codec_.get(), nullptr);
    return {};
  }
  const auto at = time_of(*packet);
  codec_->skip_frame = at != AV_NOPTS_VALUE && at < wanted_from_
                         ? AVDISCARD_NONREF
                         : AVDISCARD_DEFAULT;
  const int done = avcodec_send_packet(codec_.get(), packet.get());
  if (done == AVERROR(EAGAIN))
    pending_ = std::move(packet);
  if (done == AVERROR(ENOMEM))
    return av_failure(done, "decoding");
  return {};
}

result<frame_ptr> decoding::next() {
  frame_ptr frame{av_frame_alloc()};
  if (!frame)
    return fail(errc::memory);
  for (;;) {
    const int done = avcodec_receive_frame(codec_.get(), frame.get());
    if (done == AVERROR_EOF)
      return frame_ptr{};
    if (done == AVERROR(ENOMEM))
      return av_failure(done, "decoding");
    if (done >= 0) {
      if (frame->best_effort_timestamp != AV_NOPTS_VALUE)
        frame->pts = frame->best_effort_timestamp;
      else if (frame->pts == AV_NOPTS_VALUE)
        frame->pts = expected_;
      if (frame->pts == AV_NOPTS_VALUE)
        continue;
      expected_ = frame->pts + std::max<std::int64_t>(duration_of(*frame), 1);
      return frame;
    }
    // What else is wrong is a broken packet: the next one may do.
    if (drained_)
      return frame_ptr{};
    if (auto fed = feed(); !fed)
      return fed.error();
  }
}

} // namespace troupe::codec
