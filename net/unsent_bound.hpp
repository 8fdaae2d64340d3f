#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <netinet/tcp.h>
#include <sys/socket.h>

namespace troupe::net {

/// Of what is sent to a peer, the kernel keeps at most about so many bytes that
/// have not left: its own bound grows to several megabytes.
inline constexpr int most_unsent = 256 * 1024;

/// For connections that send media. A writer waits once that much is unsent,
/// and until half of it has left.
inline void bound_unsent(boost::asio::ip::tcp::socket& socket) {
  // One that is closed has nothing to bound; the next write will tell.
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT,
               &most_unsent, sizeof most_unsent);
}

} // namespace troupe::net
