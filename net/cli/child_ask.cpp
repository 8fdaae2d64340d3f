#include "net/cli/child_ask.hpp"

#include <future>
#include <utility>

namespace troupe::cli {

media::child_end ask_child(media::codec_children& children,
                           media::child_task task) {
  std::promise<media::child_end> ended;
  const auto child = children.open(media::child_life::one_task);
  media::child_listener listener;
  listener.on_end = [&ended](media::child_end end) {
    ended.set_value(std::move(end));
  };
  child->run(std::move(task), std::move(listener));
  return ended.get_future().get();
}

} // namespace troupe::cli
