#pragma once

#include "config/result.hpp"
#include "media/descriptor.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace troupe::net {

/// An address that is ours: connections wait there until a server takes them.
class listener {
public:
  /// @param where `address:port`, port 0 for any; `[…]` around IPv6
  /// @returns `operation_not_permitted` for an address off loopback, since
  /// nobody has to say who they are.
  [[nodiscard]] static result<listener> open(const std::string& where);

  [[nodiscard]] const std::string& address() const noexcept {
    return address_;
  }
  [[nodiscard]] std::uint16_t port() const noexcept {
    return port_;
  }
  [[nodiscard]] bool is_v6() const noexcept {
    return address_.find(':') != std::string::npos;
  }

  [[nodiscard]] media::descriptor take() && {
    return std::move(socket_);
  }

private:
  listener(media::descriptor socket, std::string address, std::uint16_t port)
    : socket_{std::move(socket)}, address_{std::move(address)}, port_{port} {}

  media::descriptor socket_;
  std::string address_;
  std::uint16_t port_;
};

} // namespace troupe::net
