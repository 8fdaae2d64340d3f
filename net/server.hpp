#pragma once

#include "actors/gateway.hpp"
#include "actors/image_desk.hpp"
#include "actors/stream_desk.hpp"
#include "config/metrics.hpp"
#include "config/result.hpp"
#include "config/settings.hpp"
#include "media/egress/address_guard.hpp"
#include "net/listener.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace troupe::media {
class image_service;
class stream_signer;
} // namespace troupe::media

namespace troupe::net {

/// `degraded`: some work cannot be done, but the server is of use.
enum class part_health : std::uint8_t { ready, degraded, failed };

/// How one part of the server is, for `/readyz`.
struct part_state {
  std::string name; ///< "tools", …; the server asks for what the store knows
  part_health state = part_health::ready;
  std::string detail; ///< for people; may be empty
};

/// What the edge stands on. All that is referred to outlives the server.
struct server_parts {
  actors::gateway& gateway;
  config::metrics& metrics;
  const media::address_guard& guard;
  /// Files of jobs are served from beneath it, and from nowhere else.
  std::filesystem::path library;
  /// What a submit reaches at best; for `durability_strict`.
  std::function<store::durability()> durability;
  /// Further parts for `/readyz`; cheap, called on the io thread. May be null.
  std::function<std::vector<part_state>()> health;
  /// Null: no images are served.
  const config::image_settings* image_settings = nullptr;
  media::image_service* images = nullptr;
  actors::image_desk* crew = nullptr;
  /// Null: no streams are served.
  const config::stream_settings* stream_settings = nullptr;
  const media::stream_signer* stream_signer = nullptr;
  actors::stream_desk* streams = nullptr;
  /// Of what streams keep, for `/metrics`. May be null.
  std::function<void(config::metrics&)> stream_figures = {};
  /// Null: no limits.
  const config::bandwidth_settings* bandwidth = nullptr;
  /// Begins to let this node's jobs end, and takes no more; any thread, any
  /// number of times. May be null.
  std::function<void()> retire = {};
};

/// The HTTP edge: everything under "Conventions", "Jobs", "Events" and
/// "Operation" of the API document. One thread serves all connections; it asks
/// the actors through the gateway and never waits for them.
class server {
public:
  server(const config::http_settings& settings, server_parts parts);
  /// Stops at once if it still runs.
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Binds the address of `settings.listen`; connections wait from now on.
  /// @returns the port, which the system chose if 0 was asked for;
  /// `operation_not_permitted` for an address off loopback, since nobody has
  /// to say who they are.
  [[nodiscard]] result<std::uint16_t> listen();
  /// The same where the address was bound before.
  [[nodiscard]] result<std::uint16_t> listen(listener bound);

  /// Serves on a thread of its own; returns at once.
  /// @pre `listen()` was successful.
  void run();

  /// `/readyz` says 503 from now on; everything else goes on. Any thread.
  void drain();

  /// Takes no more connections, lets requests under way finish, closes event
  /// clients (WebSocket code 1001); after `grace` cuts what is left. Returns
  /// when the thread has ended. Answers of the gateway that come later are
  /// dropped. Not to be called on the server's own thread.
  void stop(std::chrono::milliseconds grace);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace troupe::net
