#include "net/event_inbox.hpp"

#include <boost/asio/post.hpp>

#include <iterator>
#include <utility>

namespace troupe::net {

event_inbox::event_inbox(boost::asio::any_io_executor io, callbacks calls)
  : io_{std::move(io)}, calls_{std::move(calls)} {}

void event_inbox::deliver(std::vector<actors::frame_ptr> frames) {
  const std::scoped_lock lock{mutex_};
  if (frames_.empty())
    frames_ = std::move(frames);
  else
    std::ranges::move(frames, std::back_inserter(frames_));
  post();
}

void event_inbox::close(actors::close_code code, std::string reason) {
  const std::scoped_lock lock{mutex_};
  closing_ = closing{code, std::move(reason)};
  post();
}

void event_inbox::post() {
  if (std::exchange(posted_, true))
    return;
  boost::asio::post(io_, [self = shared_from_this()] { self->arrive(); });
}

void event_inbox::arrive() {
  std::vector<actors::frame_ptr> frames;
  std::optional<closing> end;
  {
    const std::scoped_lock lock{mutex_};
    posted_ = false;
    frames = std::move(frames_);
    frames_.clear();
    end = std::exchange(closing_, std::nullopt);
  }
  if (!frames.empty() && calls_.frames)
    calls_.frames(std::move(frames));
  if (!end)
    return;
  // The call may stop this inbox, and so must not lie in it.
  if (const auto call = std::move(calls_.close))
    call(end->code, std::move(end->reason));
}

void event_inbox::stop() {
  calls_ = {};
}

} // namespace troupe::net
