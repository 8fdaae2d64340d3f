#include "media/image/vips/video.hpp"

#include "media/codec/video_frames.hpp"
#include "media/image/geometry.hpp"
#include "media/image/video.hpp"
#include "media/image/vips/scenes.hpp"
#include "media/image/vips/shape.hpp"
#include "media/image/vips/source.hpp"
#include "media/image/vips/store.hpp"

extern "C" {
#include <libavutil/log.h>
}

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

namespace troupe::codec {

namespace {

using namespace media;
using vips::VImage;
using clock = std::chrono::steady_clock;

/// Where a video is likely to show something.
constexpr double early = 0.1;
constexpr int tile_side = 160;

image_format format_of(const video_wish& wish, image_format usual) {
  return wish.options.format == image_format::none ? usual
                                                   : wish.options.format;
}

failure nothing_decoded() {
  return fail(errc::invalid_media, "no picture can be decoded");
}

/// Fulfils the wishes of one order. Throws `vips::VError`.
class showing {
public:
  showing(video_frames& video, const image_limits& limits)
    : video_(video), limits_(limits), room_(limits.result_bytes) {}

  result<video_made> run(const video_wish& wish) {
    switch (wish.view) {
    case video_view::scenes:
      return show_stills(wish, find_scenes(video_, wish.count));
    case video_view::sprite:
      return show_sprite(wish);
    case video_view::preview:
      return show_preview(wish);
    default:
      break;
    }
    return show_stills(wish, wish.at_s.empty()
                               ? std::vector{video_.duration_s() * early}
                               : wish.at_s);
  }

private:
  result<video_made> show_stills(const video_wish& wish,
                                 const std::vector<double>& times) {
    const auto format = format_of(wish, image_format::jpeg);
    video_made out;
    for (const auto at : times) {
      auto shown = picture_at(at, 0, wish.options, format);
      if (!shown)
        return shown.error();
      auto made = stored(wish, *shown, 1, format);
      if (!made)
        return made.error();
      out.times.push_back(video_.time_s());
      out.images.push_back(std::move(*made));
    }
    if (out.images.empty())
      return nothing_decoded();
    return out;
  }

  result<video_made> show_sprite(const video_wish& wish) {
    const auto format = format_of(wish, image_format::jpeg);
    auto options = wish.options;
    if (options.width == 0 && options.height == 0)
      options.width = tile_side;
    const auto length = video_.duration_s();
    const auto every = std::max(wish.every_s, length / most_tiles);
    const auto count = std::clamp<std::uint32_t>(
      static_cast<std::uint32_t>(std::ceil(length / every - 1e-6)), 1,
      most_tiles);
    video_made out;
    out.columns = std::min(wish.columns, count);
    const auto rows = (count + out.columns - 1) / out.columns;
    std::vector<VImage> tiles;
    for (std::uint32_t i = 0; i < count; ++i) {
      out.times.push_back(i * every);
      auto tile = picture_at(out.times.back(), every, options, format);
      if (!tile)
        return tile.error();
      if (const auto fine =
            check(tile->width() * int(out.columns), tile->height() * int(rows));
          !fine)
        return fine.error();
      tiles.push_back(std::move(*tile));
    }
    out.tile_width = static_cast<std::uint32_t>(tiles.front().width());
    out.tile_height = static_cast<std::uint32_t>(tiles.front().height());
    const auto sheet = VImage::arrayjoin(
      tiles, VImage::option()->set("across", static_cast<int>(out.columns)));
    return with(std::move(out), stored(wish, sheet, 1, format));
  }

  result<video_made> show_preview(const video_wish& wish) {
    const auto format = format_of(wish, image_format::webp);
    if (!keeps_frames(format))
      return fail(errc::bad_params, "an animation must be webp or gif");
    auto frames = frames_of(wish, format);
    if (!frames)
      return frames.error();
    const auto delay = static_cast<int>(std::lround(1000 / wish.fps));
    auto roll = frames->front().copy();
    roll.set("delay", std::vector<int>(frames->size(), delay));
    roll.set("loop", 0);
    const auto made = frames->size() > 1 ? join_frames(*frames, roll) : roll;
    return with({}, stored(wish, made,
                           static_cast<std::uint32_t>(frames->size()), format));
  }

  result<std::vector<VImage>> frames_of(const video_wish& wish,
                                        image_format format) {
    const auto begin =
      wish.from_s < 0 ? video_.duration_s() * early : wish.from_s;
    const auto count = std::clamp<std::uint32_t>(
      static_cast<std::uint32_t>(wish.length_s * wish.fps), 1, most_previewed);
    std::vector<VImage> frames;
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto at = begin + i / wish.fps;
      auto more = i > 0 || video_.seek(begin, 0);
      while (more && video_.time_s() < at - 0.5 / wish.fps)
        more = video_.next();
      if (!more)
        break;
      auto shown = picture(wish.options, format);
      if (!shown)
        return shown.error();
      if (const auto fine = check(shown->width(), shown->height(), count);
          !fine)
        return fine.error();
      frames.push_back(std::move(*shown));
    }
    if (frames.empty())
      return nothing_decoded();
    return frames;
  }

  static result<video_made> with(video_made to, result<image_made> one) {
    if (!one)
      return one.error();
    to.images.push_back(std::move(*one));
    return to;
  }

  result<void> check(int width, int height, std::uint32_t frames = 1) const {
    const auto side = static_cast<int>(limits_.result_side);
    if (width > side || height > side
        || std::uint64_t(width) * std::uint64_t(height) * frames
             > limits_.result_pixels)
      return fail(errc::too_large, "the result has too many pixels");
    return {};
  }

  result<VImage> picture_at(double at, double slack,
                            const image_options& options, image_format as) {
    if (!video_.seek(std::max(at, 0.0), slack))
      return nothing_decoded();
    return picture(options, as);
  }

  result<VImage> picture(const image_options& options, image_format as) {
    const int width = video_.width();
    const int height = video_.height();
    const auto by = geometry_of({width, height}, video_.orientation(), options);
    if (const auto fine = check(std::max(by.scaled.width, by.result.width),
                                std::max(by.scaled.height, by.result.height));
        !fine)
      return fine.error();
    auto pixels = video_.pixels(width, height);
    if (pixels.empty())
      return fail(errc::invalid_media, "a picture cannot be converted");
    const auto whole =
      VImage::new_from_memory(pixels.data(), pixels.size(), width, height, 3,
                              VIPS_FORMAT_UCHAR)
        .copy(
          VImage::option()->set("interpretation", VIPS_INTERPRETATION_sRGB));
    shape_memory none;
    return finish(scale_region(whole, options, by), options, by, as, nullptr,
                  none)
      .copy_memory();
  }

  result<image_made> stored(const video_wish& wish, const VImage& image,
                            std::uint32_t frames, image_format format) {
    const auto start = clock::now();
    storage how;
    how.format = format;
    how.quality = wish.options.quality_of(format);
    how.max_bytes = wish.options.max_bytes;
    auto bytes = store(image, how);
    image_made out;
    out.format = format;
    out.width = static_cast<std::uint32_t>(image.width());
    out.height = static_cast<std::uint32_t>(image.height()) / frames;
    out.frames = frames;
    out.quality = bytes.quality;
    out.bytes = std::move(bytes.bytes);
    out.made_ms =
      std::chrono::duration<double, std::milli>(clock::now() - start).count();
    if (out.bytes.size() > room_)
      return fail(errc::too_large, "the results are too large");
    room_ -= out.bytes.size();
    return out;
  }

  video_frames& video_;
  const image_limits& limits_;
  std::uint64_t room_; ///< bytes that results may still take
};

result<video_made> tried(showing& by, const video_wish& wish) {
  try {
    return by.run(wish);
  } catch (const vips::VError&) {
    return fail(errc::invalid_media, take_vips_words());
  }
}

video_made fulfil(showing& by, const video_wish& wish) {
  auto made = tried(by, wish);
  if (made)
    return std::move(*made);
  video_made out;
  out.code = static_cast<errc>(made.error().code.value());
  out.message = made.error().detail;
  return out;
}

task_answer video_answer(const failure& why) {
  return {static_cast<errc>(why.code.value()), why.detail};
}

} // namespace

task_answer show_video(const task_request& request, task_context& context) {
  av_log_set_level(AV_LOG_QUIET);
  const auto order = read_video_order(request.params);
  if (!order)
    return video_answer(order.error());
  if (request.files.empty())
    return {errc::bad_params, "no source is given"};
  probe_input source{request.files.front(), context};
  if (source.size() < 0)
    return {errc::io_error, "the file cannot be read"};
  auto video = video_frames::open(source, order->limits.pixels);
  if (!video)
    return video_answer(video.error());
  video_result made;
  made.duration_s = (*video)->duration_s();
  showing all{**video, order->limits};
  for (const auto& wish : order->wishes)
    made.made.push_back(fulfil(all, wish));
  vips_error_clear();
  const auto lost = [](const video_made& each) {
    return each.code != errc::none;
  };
  if (!made.made.empty() && std::ranges::all_of(made.made, lost))
    return {made.made.front().code, made.made.front().message};
  return {errc::none, encode_video_result(made)};
}

} // namespace troupe::codec
