#include "media/codec/av/check.hpp"
#include "media/codec/av/encoders.hpp"
#include "media/codec/av/join.hpp"
#include "media/codec/av/session.hpp"
#include "media/codec/probe.hpp"
#include "media/codec/zygote.hpp"
#include "media/image/vips/image.hpp"
#include "media/image/vips/library.hpp"
#include "media/image/vips/video.hpp"

#include <array>
#include <cstdio>
#include <string_view>

/// `troupe-codec zygote` bears the server's codec children.
int main(int argc, char** argv) {
  using namespace troupe::codec;
  static constexpr std::array tasks{
    task_entry{"av_check", &check_film},
    task_entry{"av_index", &index_film},
    task_entry{"av_join", &join_film},
    task_entry{"av_segment", &make_film_segment},
    task_entry{"encoders", &list_encoders},
    task_entry{"image", &make_images},
    task_entry{"probe", &probe},
    task_entry{"video", &show_video}};
  if (argc < 2 || std::string_view{argv[1]} != "zygote") {
    std::fputs("troupe-codec is started by the server only\n", stderr);
    return 2;
  }
  if (!prepare_images()) {
    std::fputs("libvips cannot be used\n", stderr);
    return 5;
  }
  return zygote_main(tasks, {argv + 2, argv + argc});
}
