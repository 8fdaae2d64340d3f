#pragma once

#include <boost/asio/awaitable.hpp>

namespace troupe::net {

struct edge;
struct takeover;

/// Serves `GET /v1/ws` on a connection whose request asks for the upgrade (see
/// "Events" in the API document, RFC 6455), until it ends. A request that is
/// no proper upgrade is answered 400 or 426 here.
boost::asio::awaitable<void> serve_websocket(takeover taken, edge& at);

} // namespace troupe::net
