#include "media/child/child_step.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace troupe::media {

namespace asio = boost::asio;

child_step::child_step(runtime& threads) : wake_(threads.io()) {}

asio::awaitable<child_end> child_step::run(codec_children& children,
                                           child_task task) {
  end_.reset();
  child_listener listener;
  listener.on_end = [self = shared_from_this()](child_end end) {
    self->end_ = std::move(end);
    self->wake_.cancel();
  };
  wake_.expires_at(asio::steady_timer::time_point::max());
  child_ = children.open(child_life::one_task);
  child_->run(std::move(task), std::move(listener));
  const auto wait = asio::as_tuple(asio::use_awaitable);
  while (!end_)
    co_await wake_.async_wait(wait);
  child_.reset();
  co_return std::move(*end_);
}

void child_step::stop(errc why) {
  if (child_)
    child_->stop(why);
}

} // namespace troupe::media
