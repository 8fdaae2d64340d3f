#pragma once

#include "net/http.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <functional>
#include <string>

namespace troupe::net {

/// A connection that leaves request and answer behind: WebSocket, event stream.
/// Host, Origin and method have been checked. The taker closes it, within the
/// server's grace once `on_stop` calls; it runs on the socket's executor.
struct takeover {
  boost::asio::ip::tcp::socket socket;
  const request& req; ///< lives until the taker's coroutine returns
  /// The request's header as text, for handing it to a WebSocket library.
  std::string head;
  /// What the client has sent after it.
  std::string unread;
  /// Registers what is called, on the io thread, when the server stops; at
  /// once if it is stopping already. Dropped when the taker returns.
  std::function<void(std::function<void()>)> on_stop;
  /// Fields of the answer that CORS and tracing ask for, as
  /// `Name: value\r\n` lines.
  std::string answer_fields;
};

} // namespace troupe::net
