#pragma once

#include "actors/gateway.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace troupe::net {

/// Carries what a client actor delivers from its thread to the io thread. What
/// is delivered while the io thread is busy arrives there in one piece.
///
/// Invariant: `posted_` is true exactly while a call of `arrive` is on its way;
/// the callbacks are touched on the io thread alone.
class event_inbox final : public actors::client_sink,
                          public std::enable_shared_from_this<event_inbox> {
public:
  struct callbacks {
    std::function<void(std::vector<actors::frame_ptr>)> frames;
    std::function<void(actors::close_code, std::string)> close;
  };

  event_inbox(boost::asio::any_io_executor io, callbacks calls);

  void deliver(std::vector<actors::frame_ptr> frames) override;
  void close(actors::close_code code, std::string reason) override;

  /// Nothing is called from here on. On the io thread.
  void stop();

private:
  struct closing {
    actors::close_code code;
    std::string reason;
  };

  void post();
  void arrive();

  boost::asio::any_io_executor io_;
  callbacks calls_;
  std::mutex mutex_;
  std::vector<actors::frame_ptr> frames_;
  std::optional<closing> closing_;
  bool posted_ = false;
};

} // namespace troupe::net
