#pragma once

#include "actors/gateway.hpp"
#include "net/corked_socket.hpp"
#include "net/event_inbox.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::net {

struct edge;

/// Writes the frames of one client actor to a corked connection, gives credit
/// back as they leave, and counts it all. On the io thread, but for frames that
/// go at once. Nothing is called after `stop`.
class event_sender {
public:
  /// Appends one frame as the connection's protocol puts it.
  using append_frame = std::function<void(std::string&, const actors::frame&)>;
  using close_connection =
    std::function<void(actors::close_code, const std::string&)>;

  /// @param kind of client, for the metrics
  /// @param append_anywhere the same as `append` on any thread, for frames
  /// that go at once; null: none do
  event_sender(edge& at, std::shared_ptr<corked_socket> to,
               std::string_view kind, append_frame append,
               close_connection close, append_frame append_anywhere = {});
  ~event_sender();
  event_sender(const event_sender&) = delete;
  event_sender& operator=(const event_sender&) = delete;

  [[nodiscard]] actors::client_port& port() noexcept {
    return *port_;
  }

  /// Ends the client actor's deliveries.
  void stop();

private:
  /// What was appended at once.
  struct batch {
    std::uint64_t end = 0; ///< where it ends, by `corked_socket::appended`
    std::vector<actors::frame_ptr> frames;
  };

  void take(event_inbox::frames frames);
  void on_written();
  void account(const batch& gone);

  edge& at_;
  std::shared_ptr<corked_socket> to_;
  std::string_view kind_;
  append_frame append_;
  close_connection close_;
  std::shared_ptr<event_inbox> inbox_;
  std::unique_ptr<actors::client_port> port_;
  std::deque<batch> on_the_way_;
  std::size_t owed_ = 0; ///< credit not given back yet
};

} // namespace troupe::net
