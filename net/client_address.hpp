#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <string>

namespace troupe::net {

/// The peer's address as text; empty of one that is gone.
[[nodiscard]] inline std::string
address_of(const boost::asio::ip::tcp::socket& socket) {
  boost::system::error_code error;
  const auto peer = socket.remote_endpoint(error);
  return error ? std::string{} : peer.address().to_string();
}

} // namespace troupe::net
