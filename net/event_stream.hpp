#pragma once

#include "actors/gateway.hpp"
#include "config/result.hpp"

#include <boost/asio/awaitable.hpp>

#include <string_view>
#include <vector>

namespace troupe::net {

struct edge;
struct takeover;

/// Most topics of one event stream.
inline constexpr std::size_t max_stream_topics = 32;

/// Reads `topics=` and the `Last-Event-ID` of `GET /v1/events`; both as the
/// client sent them, percent-decoded. The failure's detail says what is wrong:
/// no topics or too many, one that cannot exist (`actors::errc::bad_topic`), an
/// id that is none of ours for these topics (`std::errc::invalid_argument`).
/// A topic that stands again counts where it stood first.
[[nodiscard]] result<std::vector<actors::topic_request>>
read_stream_request(std::string_view topics, std::string_view last_event_id);

/// Serves `GET /v1/events`: answers 200 `text/event-stream` and goes on until
/// the client leaves, falls behind or the server stops.
boost::asio::awaitable<void>
serve_event_stream(takeover taken, std::vector<actors::topic_request> topics,
                   edge& at);

} // namespace troupe::net
