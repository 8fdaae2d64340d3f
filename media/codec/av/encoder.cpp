#include "media/codec/av/encoder.hpp"

#include "media/codec/av/failing.hpp"

namespace troupe::codec {

result<void> encode(AVCodecContext& encoder, const AVFrame* frame,
                    std::vector<packet_ptr>& packets,
                    const std::function<void()>& taken) {
  int done = avcodec_send_frame(&encoder, frame);
  while (done >= 0) {
    packet_ptr packet{av_packet_alloc()};
    if (!packet)
      return fail(media::errc::memory);
    done = avcodec_receive_packet(&encoder, packet.get());
    if (done < 0)
      break;
    packets.push_back(std::move(packet));
    if (taken)
      taken();
  }
  if (done != AVERROR(EAGAIN) && done != AVERROR_EOF)
    return av_failure(done, "encoding");
  return {};
}

} // namespace troupe::codec
