#include "media/child/child_step.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace troupe::media {

namespace asio = boost::asio;

void count(const child_usage& used, attempt_usage& of) {
  of.cpu_ms += static_cast<std::uint64_t>(used.cpu_s * 1000);
  of.peak_memory = std::max(of.peak_memory, used.max_memory);
}

child_step::child_step(runtime& threads) : wake_(threads.io()) {}

asio::awaitable<child_end> child_step::run(codec_children& children,
                                           child_task task, child_rank rank,
                                           std::uint64_t writes) {
  end_.reset();
  child_listener listener;
  listener.on_end = [self = shared_from_this()](child_end end) {
    self->end_ = std::move(end);
    self->wake_.cancel();
  };
  wake_.expires_at(asio::steady_timer::time_point::max());
  child_ =
    children.open(child_life::one_task, child_profile::media, rank, writes);
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
