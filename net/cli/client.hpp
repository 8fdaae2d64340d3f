#pragma once

#include "config/result.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// The client's end of the wire: one request at a time, and one WebSocket.
namespace troupe::cli {

/// Where a server listens and how to speak to it.
struct server_address {
  std::string host; ///< a name or a literal address, without brackets
  std::string port;
  std::string token; ///< sent as a bearer token; empty: none

  /// As in the `Host` header.
  [[nodiscard]] std::string authority() const;
};

/// Reads `http://host[:port][/]`. `std::errc::invalid_argument` for any other
/// form, https included: that is for a proxy before the server.
[[nodiscard]] result<server_address> parse_server(std::string_view url);

struct answer {
  int status = 0;
  std::string body;
};

/// Sends one request on a connection of its own and waits for the answer, at
/// most 60 s. A failure says that there is no server, or that it went away.
[[nodiscard]] result<answer> call(const server_address& to,
                                  std::string_view method,
                                  const std::string& target,
                                  std::string body = {});

/// A WebSocket to `/v1/ws` (subprotocol `troupe.v1`). Used by one thread.
class event_socket {
public:
  /// Connects, at most 5 s.
  [[nodiscard]] static result<std::unique_ptr<event_socket>>
  open(const server_address& to);
  virtual ~event_socket() = default;

  [[nodiscard]] virtual result<void> send(std::string text) = 0;
  /// The next message; nothing if none came in time; a failure once the
  /// connection has ended.
  [[nodiscard]] virtual result<std::optional<std::string>>
  next(std::chrono::milliseconds wait) = 0;
};

} // namespace troupe::cli
