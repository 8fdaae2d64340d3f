#pragma once

#include "net/client_message.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>
#include <string_view>

namespace troupe::net {

struct edge;

/// Does what a WebSocket client requests and gives the frame that answers it:
/// `response`, or `error`.
/// @pre on the io thread
[[nodiscard]] boost::asio::awaitable<std::string>
answer_request(edge& at, std::string id, request_message asked);

/// `{"op":"error","id":…,"code":…,"detail":…}`, with `errors` if there are any.
[[nodiscard]] std::string error_text(std::string_view id, const problem& what);

/// `{"op":"pong","id":…}`.
[[nodiscard]] std::string pong_text(std::string_view id);

} // namespace troupe::net
