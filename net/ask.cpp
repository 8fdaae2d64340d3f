#include "net/ask.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <mutex>
#include <vector>

namespace troupe::net {

namespace {

using clock = std::chrono::steady_clock;

/// How exactly deadlines are kept: one timer serves all asks, since a timer
/// for each would cost more than most asks do.
constexpr std::chrono::milliseconds ask_tick{100};

} // namespace

struct ask_desk::impl {
  explicit impl(boost::asio::any_io_executor io) : io_{io}, timer_{io} {}

  void settle(const std::shared_ptr<detail::pending_ask>& asked) {
    if (asked->place == pending_.end())
      return;
    remove(*asked);
    asked->complete();
  }

  void remove(detail::pending_ask& asked) {
    pending_.erase(asked.place);
    asked.place = pending_.end();
  }

  void expire_before(clock::time_point now, actors::errc why) {
    std::vector<std::shared_ptr<detail::pending_ask>> late;
    for (const auto& asked : pending_)
      if (asked->deadline <= now)
        late.push_back(asked);
    for (const auto& asked : late) {
      if (asked->place == pending_.end())
        continue;
      remove(*asked);
      asked->give_up(why);
    }
  }

  void keep_time() {
    if (ticking_ || pending_.empty())
      return;
    ticking_ = true;
    timer_.expires_after(ask_tick);
    timer_.async_wait([this](boost::system::error_code error) {
      if (error)
        return;
      ticking_ = false;
      expire_before(clock::now(), actors::errc::deadline);
      keep_time();
    });
  }

  boost::asio::any_io_executor io_;
  boost::asio::steady_timer timer_;
  std::list<std::shared_ptr<detail::pending_ask>> pending_;
  bool ticking_ = false;
  bool closed_ = false;
};

namespace detail {

/// Invariant: `desk_` is null or alive, and alive as long as the lock is held;
/// while `arrived_` is not empty, a collection is posted.
class letterbox : public std::enable_shared_from_this<letterbox> {
public:
  explicit letterbox(ask_desk& desk) : desk_{&desk} {}

  void put(std::shared_ptr<pending_ask> answered) {
    std::lock_guard lock{mutex_};
    if (!desk_)
      return;
    arrived_.push_back(std::move(answered));
    if (arrived_.size() == 1)
      boost::asio::post(desk_->impl_->io_,
                        [self = shared_from_this()] { self->collect(); });
  }

  void shut() {
    std::lock_guard lock{mutex_};
    desk_ = nullptr;
    arrived_.clear();
  }

private:
  void collect() {
    std::vector<std::shared_ptr<pending_ask>> here;
    ask_desk* desk = nullptr;
    {
      std::lock_guard lock{mutex_};
      here.swap(arrived_);
      desk = desk_;
    }
    for (const auto& answered : here)
      if (desk)
        desk->impl_->settle(answered);
  }

  std::mutex mutex_;
  ask_desk* desk_;
  std::vector<std::shared_ptr<pending_ask>> arrived_;
};

void drop_in(const std::shared_ptr<letterbox>& box,
             std::shared_ptr<pending_ask> answered) {
  box->put(std::move(answered));
}

} // namespace detail

ask_desk::ask_desk(boost::asio::any_io_executor io)
  : box_{std::make_shared<detail::letterbox>(*this)}, impl_{
                                                        std::make_unique<impl>(
                                                          io)} {}

ask_desk::~ask_desk() {
  box_->shut();
}

void ask_desk::close() {
  impl_->closed_ = true;
  impl_->timer_.cancel();
  impl_->expire_before(clock::time_point::max(), actors::errc::draining);
}

bool ask_desk::enter(std::shared_ptr<detail::pending_ask> asked,
                     std::chrono::milliseconds limit) {
  auto& pending = impl_->pending_;
  asked->deadline = clock::now() + limit;
  asked->place = pending.insert(pending.end(), asked);
  if (impl_->closed_) {
    // Not at once: the asking coroutine has yet to be suspended.
    boost::asio::post(impl_->io_, [this] { close(); });
    return false;
  }
  impl_->keep_time();
  return true;
}

} // namespace troupe::net
