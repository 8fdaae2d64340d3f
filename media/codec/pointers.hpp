#pragma once

extern "C" {
#include <libavformat/avformat.h>
#include <libavutil/dict.h>
}

#include <memory>

/// The only home of libav's own releasing functions.
namespace troupe::codec {

struct input_closer {
  void operator()(AVFormatContext* input) const noexcept {
    avformat_close_input(&input);
  }
};
using input_ptr = std::unique_ptr<AVFormatContext, input_closer>;

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
