#pragma once

#include "actors/gateway.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <utility>

namespace troupe::net {

class ask_desk;

namespace detail {

/// One ask that is not answered yet. Lives on the io thread, but for
/// `arrive`'s writing of the answer, which happens once and before.
class pending_ask {
public:
  virtual ~pending_ask() = default;
  /// The answer lies here; goes on with it unless something else came first.
  virtual void complete() = 0;
  /// Goes on without an answer, unless one came first.
  virtual void give_up(actors::errc why) = 0;

  std::chrono::steady_clock::time_point deadline;
  std::list<std::shared_ptr<pending_ask>>::iterator place; ///< in the desk
};

/// Where answers arrive; outlives the desk for those who come too late.
class letterbox;

void drop_in(const std::shared_ptr<letterbox>& box,
             std::shared_ptr<pending_ask> answered);

template <class T, class Handler>
class waiting final : public pending_ask {
public:
  explicit waiting(Handler go_on) : handler_{std::move(go_on)} {}

  /// Any thread. False for a second answer, which is dropped.
  bool arrive(result<T> answer) {
    if (arrived_.exchange(true))
      return false;
    answer_.emplace(std::move(answer));
    return true;
  }

  void complete() override {
    if (handler_)
      go_on(std::move(*answer_));
  }

  void give_up(actors::errc why) override {
    if (handler_)
      go_on(fail(why));
  }

private:
  void go_on(result<T> with) {
    auto resume = std::move(*handler_);
    handler_.reset();
    std::move(resume)(std::move(with));
  }

  std::optional<Handler> handler_; ///< empty once called
  std::atomic<bool> arrived_ = false;
  std::optional<result<T>> answer_;
};

} // namespace detail

/// The one bridge from the actors' threads to the io thread: a call of the
/// gateway becomes an awaitable that always ends, with the answer or after its
/// deadline. An answer that comes later, or after the desk was closed, is
/// dropped where it arrives.
///
/// Invariant: every ask under way is in `pending_` until its coroutine goes
/// on, which happens on the io thread alone.
class ask_desk {
public:
  /// @param io a single-threaded executor
  explicit ask_desk(boost::asio::any_io_executor io);
  ~ask_desk();
  ask_desk(const ask_desk&) = delete;
  ask_desk& operator=(const ask_desk&) = delete;

  /// Calls `start(reply_to<T>)` and waits at most `limit` (kept to a tenth of
  /// a second). `errc::deadline` after it, `errc::draining` once closed.
  /// @pre called on the io thread
  template <class T, class Start>
  boost::asio::awaitable<result<T>> ask(std::chrono::milliseconds limit,
                                        Start start) {
    namespace asio = boost::asio;
    auto begin = [this, limit](auto go_on, Start begin_with) {
      using state = detail::waiting<T, decltype(go_on)>;
      auto asked = std::make_shared<state>(std::move(go_on));
      if (!enter(asked, limit))
        return;
      begin_with(actors::reply_to<T>{
        [asked = std::weak_ptr{asked}, box = box_](result<T> answer) {
          auto here = asked.lock();
          if (here && here->arrive(std::move(answer)))
            detail::drop_in(box, std::move(here));
        }});
    };
    asio::use_awaitable_t<> token;
    co_return co_await asio::async_initiate<decltype(token), void(result<T>)>(
      std::move(begin), token, std::move(start));
  }

  /// Ends every ask under way, and all later ones at once, with `draining`.
  void close();

private:
  friend class detail::letterbox;
  bool enter(std::shared_ptr<detail::pending_ask> asked,
             std::chrono::milliseconds limit);
  struct impl;
  std::shared_ptr<detail::letterbox> box_;
  std::unique_ptr<impl> impl_;
};

} // namespace troupe::net
