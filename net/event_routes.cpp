#include "actors/topic.hpp"
#include "config/text.hpp"
#include "net/edge.hpp"
#include "net/event_stream.hpp"
#include "net/query.hpp"
#include "net/routes.hpp"
#include "net/websocket.hpp"

#include <algorithm>

namespace troupe::net {

namespace {

namespace asio = boost::asio;

constexpr std::string_view base64_digits =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// False for the topic of a job that does not exist; a store that is away
/// keeps nobody from listening.
asio::awaitable<bool> exists(edge& at, std::string_view topic) {
  const auto name = actors::parse_topic(topic);
  if (!name || name->kind != actors::topic_kind::job)
    co_return true;
  auto start = [&at, id = name->subject](actors::reply_to<store::job> reply) {
    at.parts.gateway.get(std::string{id}, std::move(reply));
  };
  const std::chrono::seconds limit{at.settings.request_timeout_s};
  const auto job = co_await at.asks.ask<store::job>(limit, start);
  co_return job || job.error().code != store::errc::not_found;
}

/// 16 bytes in base64 (RFC 6455, 4.2.1): the last digit stands for two bits.
bool is_websocket_key(std::string_view text) {
  constexpr std::size_t digits = 22;
  return text.size() == digits + 2 && text.ends_with("==")
         && text.find_first_not_of(base64_digits) == digits
         && std::string_view{"AQgw"}.find(text[digits - 1]) != text.npos;
}

/// Whether a list of protocols (RFC 9110, 7.8) has it.
bool names_websocket(std::string_view list) {
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    if (config::lower(config::trimmed(list.substr(0, end))) == "websocket")
      return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

/// What is missing for the WebSocket handshake (RFC 6455, 4.2).
std::optional<response> upgrade_fault(const request& req) {
  const auto& headers = req.headers;
  if (!names_websocket(headers.upgrade) || headers.websocket_version != "13") {
    auto out = answer(
      {problem_code::upgrade_required, "this is a WebSocket of version 13"});
    out.headers.emplace_back("Upgrade", "websocket");
    out.headers.emplace_back("Sec-WebSocket-Version", "13");
    return out;
  }
  if (req.method == verb::head)
    return answer(
      {problem_code::invalid_request, "the WebSocket handshake is a GET"});
  if (!is_websocket_key(headers.websocket_key))
    return answer({problem_code::invalid_request,
                   "Sec-WebSocket-Key must be 16 bytes in base64"});
  return std::nullopt;
}

response refuse_topics(const failure& why) {
  if (why.code == std::errc::invalid_argument)
    return answer({problem_code::invalid_request, why.detail});
  return answer({problem_code::invalid_params,
                 "topics " + why.detail,
                 {{"/topics", why.detail, {}}}});
}

response event_stream_head() {
  response out;
  out.content_type = "text/event-stream";
  out.headers.emplace_back("Cache-Control", "no-store");
  return out;
}

} // namespace

answering open_websocket(edge&, const request& req, const path_params&) {
  if (auto refusal = upgrade_fault(req))
    co_return std::move(*refusal);
  co_return taker{serve_websocket, 101};
}

answering open_event_stream(edge& at, const request& req, const path_params&) {
  std::string_view topics;
  const auto read = [&topics](std::string_view name, const std::string& value) {
    if (name != "topics")
      return std::string{unknown_parameter};
    topics = value;
    return std::string{};
  };
  if (const auto fault = read_parameters(req.target, read))
    co_return answer(*fault);
  auto asked = read_stream_request(topics, req.headers.last_event_id);
  if (!asked)
    co_return refuse_topics(asked.error());
  for (const auto& wish : *asked) {
    const bool there = co_await exists(at, wish.topic);
    if (!there)
      co_return answer(problem_of(fail(store::errc::not_found, wish.topic)));
  }
  if (req.method == verb::head)
    co_return event_stream_head();
  taker take{[topics = std::move(*asked)](takeover taken, edge& here) {
    return serve_event_stream(std::move(taken), topics, here);
  }};
  co_return take;
}

} // namespace troupe::net
