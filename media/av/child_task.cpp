#include "media/av/child_task.hpp"

#include "media/av/grid.hpp"

namespace troupe::media {

namespace {

/// For what stands around the bytes of a result.
constexpr std::size_t room_for_facts = 1u << 20;

} // namespace

child_task av_task(av_order order, descriptor source,
                   std::shared_ptr<child_source> from) {
  child_task task;
  task.name = order.what == av_what::index ? "av_index" : "av_segment";
  order.asks = from != nullptr;
  order.source_size = from ? from->size() : -1;
  task.max_result = av_most_bytes(order) + room_for_facts;
  task.params = encode_av_order(order);
  if (!from)
    task.files.push_back(std::move(source));
  task.source = std::move(from);
  return task;
}

} // namespace troupe::media
