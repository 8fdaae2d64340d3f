#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavformat/avformat.h>
#include <libavutil/dict.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>
}

#include <cstdint>
#include <memory>

/// The only home of libav's own releasing functions.
namespace troupe::codec {

struct input_closer {
  void operator()(AVFormatContext* input) const noexcept {
    avformat_close_input(&input);
  }
};
using input_ptr = std::unique_ptr<AVFormatContext, input_closer>;

struct packet_freer {
  void operator()(AVPacket* packet) const noexcept {
    av_packet_free(&packet);
  }
};
using packet_ptr = std::unique_ptr<AVPacket, packet_freer>;

struct frame_freer {
  void operator()(AVFrame* frame) const noexcept {
    av_frame_free(&frame);
  }
};
using frame_ptr = std::unique_ptr<AVFrame, frame_freer>;

struct parameters_freer {
  void operator()(AVCodecParameters* parameters) const noexcept {
    avcodec_parameters_free(&parameters);
  }
};
using parameters_ptr = std::unique_ptr<AVCodecParameters, parameters_freer>;

/// Of a decoder or an encoder.
struct codec_freer {
  void operator()(AVCodecContext* codec) const noexcept {
    avcodec_free_context(&codec);
  }
};
using codec_ptr = std::unique_ptr<AVCodecContext, codec_freer>;

struct parser_closer {
  void operator()(AVCodecParserContext* parser) const noexcept {
    av_parser_close(parser);
  }
};
using parser_ptr = std::unique_ptr<AVCodecParserContext, parser_closer>;

struct graph_freer {
  void operator()(AVFilterGraph* graph) const noexcept {
    avfilter_graph_free(&graph);
  }
};
using graph_ptr = std::unique_ptr<AVFilterGraph, graph_freer>;

struct pads_freer {
  void operator()(AVFilterInOut* pads) const noexcept {
    avfilter_inout_free(&pads);
  }
};
using pads_ptr = std::unique_ptr<AVFilterInOut, pads_freer>;

struct resampler_freer {
  void operator()(SwrContext* resampler) const noexcept {
    swr_free(&resampler);
  }
};
using resampler_ptr = std::unique_ptr<SwrContext, resampler_freer>;

/// A muxer that writes to memory, with what it has written.
struct muxer_freer {
  void operator()(AVFormatContext* muxer) const noexcept {
    std::uint8_t* bytes = nullptr;
    if (muxer->pb)
      avio_close_dyn_buf(muxer->pb, &bytes);
    av_free(bytes);
    avformat_free_context(muxer);
  }
};
using muxer_ptr = std::unique_ptr<AVFormatContext, muxer_freer>;

struct scaler_freer {
  void operator()(SwsContext* scaler) const noexcept {
    sws_freeContext(scaler);
  }
};
using scaler_ptr = std::unique_ptr<SwsContext, scaler_freer>;

/// Options on their way into a libav call, which takes what it knows.
class options {
public:
  options() = default;
  options(const options&) = delete;
  options& operator=(const options&) = delete;
  ~options() {
    av_dict_free(&raw_);
  }

  void set(const char* name, const char* value) {
    av_dict_set(&raw_, name, value, 0);
  }
  [[nodiscard]] AVDictionary** out() noexcept {
    return &raw_;
  }

private:
  AVDictionary* raw_ = nullptr;
};

} // namespace troupe::codec
