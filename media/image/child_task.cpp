#include "media/image/child_task.hpp"

namespace troupe::media {

namespace {

/// For what stands around the bytes of a result.
constexpr std::size_t room_beside = 1u << 20;
/// Between two reads of a video, while pictures are decoded and encoded.
constexpr std::chrono::seconds video_stall{60};

} // namespace

child_task image_task(image_order order, descriptor source,
                      descriptor watermark,
                      std::shared_ptr<child_source> from) {
  child_task task;
  task.name = "image";
  order.has_watermark = static_cast<bool>(watermark);
  order.asks = from != nullptr;
  order.source_size = from ? from->size() : -1;
  task.params = encode_image_order(order);
  if (!from)
    task.files.push_back(std::move(source));
  if (watermark)
    task.files.push_back(std::move(watermark));
  task.source = std::move(from);
  // A large picture is silent while it is decoded.
  task.stall = task.life;
  task.max_result = order.limits.result_bytes + room_beside;
  return task;
}

child_task video_task(const video_order& order, descriptor source) {
  child_task task;
  task.name = "video";
  task.params = encode_video_order(order);
  task.files.push_back(std::move(source));
  task.stall = video_stall;
  task.max_result = order.limits.result_bytes + room_beside;
  return task;
}

} // namespace troupe::media
