#pragma once

#include "actors/gateway.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace troupe::actors {

/// How many answers are owed.
using in_flight = std::shared_ptr<std::atomic<std::uint32_t>>;

/// The way back to an asker outside the actors, as part of a message. Copies
/// share it; the first call answers, later ones do nothing. When the last
/// copy goes unanswered (its holder died, its mailbox was closed), the asker
/// hears `errc::unavailable`. So every asker hears exactly once, without a
/// response message and without a request that could outlive anything.
template <class T>
class answer {
public:
  answer() = default;
  /// @param gauge counts it as long as it is not given; may be null
  explicit answer(reply_to<T> reply, in_flight gauge = nullptr)
    : slot_(std::make_shared<slot>(std::move(reply), std::move(gauge))) {}

  /// One caller at a time: the holder of the message.
  void operator()(result<T> outcome) const {
    if (slot_)
      slot_->give(std::move(outcome));
  }

private:
  struct slot {
    slot(reply_to<T> f, in_flight counter)
      : reply(std::move(f)), gauge(std::move(counter)) {
      if (gauge)
        ++*gauge;
    }
    slot(const slot&) = delete;
    slot& operator=(const slot&) = delete;
    ~slot() {
      give(fail(errc::unavailable));
    }

    void give(result<T> outcome) {
      auto once = std::exchange(reply, nullptr);
      if (!once)
        return;
      if (gauge)
        --*gauge;
      once(std::move(outcome));
    }

    reply_to<T> reply;
    in_flight gauge;
  };

  std::shared_ptr<slot> slot_;
};

} // namespace troupe::actors
