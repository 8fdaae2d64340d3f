#include "net/event_inbox.hpp"

#include <boost/asio/post.hpp>

#include <iterator>
#include <utility>

namespace troupe::net {

namespace {

std::size_t bytes_of(const event_inbox::frames& some) {
  std::size_t bytes = 0;
  for (const auto& frame : some)
    bytes += frame->text.size();
  return bytes;
}

} // namespace

event_inbox::event_inbox(boost::asio::any_io_executor io, callbacks calls)
  : io_{std::move(io)}, calls_{std::move(calls)} {}

std::size_t event_inbox::deliver(frames some) {
  const std::scoped_lock lock{mutex_};
  if (!posted_ && calls_.write)
    if (const auto done = calls_.write(some)) {
      if (done->all)
        return bytes_of(some);
      begun_ = begun{std::move(some), done->end};
      post();
      return 0;
    }
  if (frames_.empty())
    frames_ = std::move(some);
  else
    std::ranges::move(some, std::back_inserter(frames_));
  post();
  return 0;
}

void event_inbox::close(actors::close_code code, std::string reason) {
  const std::scoped_lock lock{mutex_};
  closing_ = closing{code, std::move(reason)};
  post();
}

void event_inbox::post() {
  if (std::exchange(posted_, true))
    return;
  post_again();
}

void event_inbox::post_again() {
  boost::asio::post(io_, [self = shared_from_this()] { self->arrive(); });
}

void event_inbox::arrive() {
  std::optional<begun> first;
  frames some;
  std::optional<closing> end;
  {
    const std::scoped_lock lock{mutex_};
    first = std::exchange(begun_, std::nullopt);
    some = std::move(frames_);
    frames_.clear();
    end = std::exchange(closing_, std::nullopt);
  }
  if (first && calls_.follow)
    calls_.follow(std::move(first->some), first->end);
  if (!some.empty() && calls_.take)
    calls_.take(std::move(some));
  // The call may stop this inbox, and so must not lie in it.
  if (end)
    if (const auto call = std::move(calls_.close))
      call(end->code, std::move(end->reason));
  const std::scoped_lock lock{mutex_};
  posted_ = !frames_.empty() || closing_;
  if (posted_)
    post_again();
}

void event_inbox::stop() {
  const std::scoped_lock lock{mutex_};
  calls_ = {};
}

} // namespace troupe::net
