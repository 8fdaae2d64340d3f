#pragma once

#include "actors/gateway.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace troupe::net {

/// Carries what a client actor delivers from its thread to the io thread. What
/// is delivered while the io thread is busy arrives there in one piece. Where
/// a connection can be written to from any thread, frames go at once when none
/// is on its way.
///
/// Invariant: `posted_` is true exactly while a call of `arrive` is on its way
/// or runs; `calls_.write` is called under the lock, the other callbacks on the
/// io thread alone.
class event_inbox final : public actors::client_sink,
                          public std::enable_shared_from_this<event_inbox> {
public:
  using frames = std::vector<actors::frame_ptr>;

  /// What became of frames that were to be written at once.
  struct written {
    bool all = false;      ///< have left; else the rest follows by itself
    std::uint64_t end = 0; ///< where they end; for `callbacks::follow`
  };

  struct callbacks {
    /// Any thread. Nothing: they go to `take`. May be null.
    std::function<std::optional<written>(const frames&)> write;
    std::function<void(frames)> take;
    /// Frames that `write` wrote not all of.
    std::function<void(frames, std::uint64_t end)> follow;
    std::function<void(actors::close_code, std::string)> close;
  };

  event_inbox(boost::asio::any_io_executor io, callbacks calls);

  std::size_t deliver(frames some) override;
  void close(actors::close_code code, std::string reason) override;

  /// Nothing is called from here on. On the io thread.
  void stop();

private:
  struct closing {
    actors::close_code code;
    std::string reason;
  };
  struct begun {
    frames some;
    std::uint64_t end;
  };

  void post();
  void post_again();
  void arrive();

  boost::asio::any_io_executor io_;
  callbacks calls_;
  std::mutex mutex_;
  std::optional<begun> begun_; ///< before `frames_`
  frames frames_;
  std::optional<closing> closing_;
  bool posted_ = false;
};

} // namespace troupe::net
