#include "media/codec/av/pictures.hpp"

#include "media/codec/av/failing.hpp"

extern "C" {
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/pixdesc.h>
}

#include <string>

namespace troupe::codec {

namespace {

using media::errc;

/// Scaled first, since tone mapping costs by the pixel.
constexpr const char* to_sdr =
  ",zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,"
  "tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv";

std::string size_of(int width, int height) {
  return std::to_string(width) + ":" + std::to_string(height);
}

std::string turning(int rotation) {
  switch (rotation) {
  case 90:
    return ",transpose=clock";
  case 180:
    return ",hflip,vflip";
  case 270:
    return ",transpose=cclock";
  default:
    return {};
  }
}

std::string chain_of(const media::av_video_settings& wanted, int rotation) {
  auto width = static_cast<int>(wanted.width);
  auto height = static_cast<int>(wanted.height);
  if (rotation % 180 != 0)
    std::swap(width, height);
  std::string chain;
  if (wanted.deinterlace)
    chain += "bwdif=mode=send_frame:deint=interlaced,";
  // A range of its own would be lost to the encoder's plain 4:2:0.
  chain += "scale=" + size_of(width, height)
           + ":flags=bicubic:out_range=" + (wanted.tonemap ? "auto" : "tv");
  chain += turning(rotation);
  if (wanted.tonemap)
    chain += to_sdr;
  return chain + ",format=yuv420p,setsar=1";
}

std::string source_of(const AVFrame& like, AVRational base) {
  return "video_size=" + std::to_string(like.width) + "x"
         + std::to_string(like.height)
         + ":pix_fmt=" + std::to_string(like.format) + ":time_base="
         + std::to_string(base.num) + "/" + std::to_string(base.den);
}

pads_ptr pad(const char* name, AVFilterContext* of) {
  pads_ptr made{avfilter_inout_alloc()};
  if (made) {
    made->name = av_strdup(name);
    made->filter_ctx = of;
  }
  return made;
}

} // namespace

result<void> picture_filter::begin(const AVFrame& like) {
  graph_.reset(avfilter_graph_alloc());
  if (!graph_)
    return fail(errc::memory);
  graph_->nb_threads = 1;
  int done = avfilter_graph_create_filter(&in_, avfilter_get_by_name("buffer"),
                                          "in", source_of(like, base_).c_str(),
                                          nullptr, graph_.get());
  if (done >= 0)
    done =
      avfilter_graph_create_filter(&out_, avfilter_get_by_name("buffersink"),
                                   "out", nullptr, nullptr, graph_.get());
  // The names are seen from outside: what the chain takes comes from `in`.
  auto from = pad("in", in_);
  auto to = pad("out", out_);
  if (!from || !to)
    return fail(errc::memory);
  auto* outputs = from.release();
  auto* inputs = to.release();
  if (done >= 0)
    done = avfilter_graph_parse_ptr(graph_.get(),
                                    chain_of(wanted_, rotation_).c_str(),
                                    &inputs, &outputs, nullptr);
  from.reset(outputs);
  to.reset(inputs);
  if (done >= 0)
    done = avfilter_graph_config(graph_.get(), nullptr);
  if (done < 0)
    return av_failure(done, "pictures cannot be prepared");
  width_ = like.width;
  height_ = like.height;
  format_ = like.format;
  return {};
}

bool picture_filter::fits(const AVFrame& frame) const {
  return graph_ && frame.width == width_ && frame.height == height_
         && frame.format == format_;
}

result<void> picture_filter::put(frame_ptr frame) {
  if (!frame && !graph_)
    return {};
  if (frame && !fits(*frame))
    if (auto begun = begin(*frame); !begun)
      return begun;
  const int done =
    av_buffersrc_add_frame_flags(in_, frame.get(), AV_BUFFERSRC_FLAG_PUSH);
  if (done < 0 && done != AVERROR_EOF)
    return av_failure(done, "a picture cannot be prepared");
  return {};
}

result<frame_ptr> picture_filter::take() {
  frame_ptr frame{av_frame_alloc()};
  if (!frame)
    return fail(errc::memory);
  if (!graph_)
    return frame_ptr{};
  const int done = av_buffersink_get_frame(out_, frame.get());
  if (done == AVERROR(EAGAIN) || done == AVERROR_EOF)
    return frame_ptr{};
  if (done < 0)
    return av_failure(done, "a picture cannot be prepared");
  // Deinterlacing counts in halves.
  frame->pts =
    av_rescale_q(frame->pts, av_buffersink_get_time_base(out_), base_);
  return frame;
}

} // namespace troupe::codec
