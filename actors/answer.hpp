#pragma once

#include "actors/gateway.hpp"

#include <memory>
#include <utility>

namespace troupe::actors {

/// The way back to an asker outside the actors, as part of a message. Copies
/// share it; the first call answers, later ones do nothing. When the last
/// copy goes unanswered (its holder died, its mailbox was closed), the asker
/// hears `errc::unavailable`. So every asker hears exactly once, without a
/// response message and without a request that could outlive anything.
template <class T>
class answer {
public:
  answer() = default;
  explicit answer(reply_to<T> reply)
    : slot_(std::make_shared<slot>(std::move(reply))) {}

  /// One caller at a time: the holder of the message.
  void operator()(result<T> outcome) const {
    if (slot_)
      slot_->give(std::move(outcome));
  }

private:
  struct slot {
    explicit slot(reply_to<T> f) : reply(std::move(f)) {}
    slot(const slot&) = delete;
    slot& operator=(const slot&) = delete;
    ~slot() {
      give(fail(errc::unavailable));
    }

    void give(result<T> outcome) {
      if (auto once = std::exchange(reply, nullptr))
        once(std::move(outcome));
    }

    reply_to<T> reply;
  };

  std::shared_ptr<slot> slot_;
};

} // namespace troupe::actors
