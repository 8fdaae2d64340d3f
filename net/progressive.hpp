#pragma once

#include "actors/stream_desk.hpp"
#include "net/takeover.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>

namespace troupe::net {

struct edge;

/// Sends a stream as one fragmented MP4, in chunks (RFC 9112, 7.1): a segment
/// is asked for when the client has taken the last. So it paces the encoder,
/// and costs the memory of one segment. What cannot be made ends the
/// connection before the last chunk.
boost::asio::awaitable<void> serve_progressive(takeover taken, std::string id,
                                               actors::stream_course course,
                                               edge& at);

} // namespace troupe::net
