#include "media/imaging/service_state.hpp"

#include "media/image/child_task.hpp"

#include <fcntl.h>

#include <algorithm>
#include <utility>

/// What children are told to make.
namespace troupe::media {

namespace {

image_limits limits_of(const config::image_settings& from) {
  image_limits to;
  to.bytes = from.max_bytes;
  to.pixels = from.max_pixels;
  to.all_pixels = std::max(to.all_pixels, from.max_pixels);
  to.frames = from.max_frames;
  return to;
}

/// Drawings only by a child that sees fonts.
std::vector<image_format> readable_of(const config::image_settings& from,
                                      bool text) {
  auto out = image_order{}.readable;
  for (const auto& name : from.readable)
    if (const auto format = format_named(name);
        text || format != image_format::svg)
      out.push_back(format);
  return out;
}

} // namespace

child_task
cached_image_service::compose(const std::vector<work_ptr>& works,
                              std::chrono::milliseconds limit) const {
  const auto& input = *works.front()->input;
  const auto* feed = works.front()->feed.get();
  image_order order;
  for (const auto& each : works)
    order.outputs.push_back(each->options);
  order.hurry = works.front()->hurry;
  order.lenient = parts_.settings.lenient;
  order.limits = limits_of(parts_.settings);
  const bool text =
    std::any_of(works.begin(), works.end(),
                [](const work_ptr& each) { return each->sets_text; });
  order.readable = readable_of(parts_.settings, text);
  if (feed)
    order.made_of = feed->source;
  const auto wants_mark = [](const work_ptr& each) {
    return each->options.watermark.has_value();
  };
  descriptor mark;
  order.mark_text = parts_.settings.watermark_text;
  if (order.mark_text.empty()
      && std::any_of(works.begin(), works.end(), wants_mark))
    mark.reset(::open(parts_.settings.watermark.c_str(), O_RDONLY | O_CLOEXEC));
  descriptor file{
    ::fcntl(feed ? feed->file.get() : input.file.get(), F_DUPFD_CLOEXEC, 0)};
  auto task = image_task(std::move(order), std::move(file), std::move(mark));
  task.life = limit;
  task.stall = limit;
  task.cpu = limit;
  return task;
}

child_task
cached_image_service::compose_video(const image_input& input,
                                    std::vector<video_wish> wishes,
                                    std::chrono::milliseconds limit) const {
  video_order order;
  order.wishes = std::move(wishes);
  order.limits = limits_of(parts_.settings);
  auto task = video_task(
    order, descriptor{::fcntl(input.file.get(), F_DUPFD_CLOEXEC, 0)});
  task.life = limit;
  task.cpu = limit;
  return task;
}

} // namespace troupe::media
