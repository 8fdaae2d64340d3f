#include "net/edge.hpp"
#include "net/event_stream.hpp"
#include "net/routes.hpp"
#include "net/websocket.hpp"

namespace troupe::net {

answering open_websocket(edge&, const request&, const path_params&) {
  co_return taker{serve_websocket};
}

answering open_event_stream(edge&, const request& req, const path_params&) {
  const auto* topics = req.target.find("topics");
  auto asked = read_stream_request(topics ? *topics : std::string_view{},
                                   req.headers.last_event_id);
  if (!asked) {
    problem what{problem_code::invalid_params, asked.error().detail};
    what.errors.push_back({"/topics", what.detail, {}});
    co_return answer(what);
  }
  taker take{[topics = std::move(*asked)](takeover taken, edge& at) {
    return serve_event_stream(std::move(taken), topics, at);
  }};
  co_return take;
}

} // namespace troupe::net
