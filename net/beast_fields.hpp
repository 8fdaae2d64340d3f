#pragma once

#include "net/http.hpp"

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>

#include <iterator>
#include <string>
#include <string_view>

/// From Beast's header fields to ours. Only for `session.cpp`.
namespace troupe::net {

namespace http = boost::beast::http;

/// Where the header's field goes; null if nobody reads it.
inline std::string_view header_fields::*place_of(http::field name) {
  switch (name) {
  case http::field::host:
    return &header_fields::host;
  case http::field::origin:
    return &header_fields::origin;
  case http::field::content_type:
    return &header_fields::content_type;
  case http::field::content_encoding:
    return &header_fields::content_encoding;
  case http::field::range:
    return &header_fields::range;
  case http::field::if_range:
    return &header_fields::if_range;
  case http::field::if_match:
    return &header_fields::if_match;
  case http::field::if_none_match:
    return &header_fields::if_none_match;
  case http::field::expect:
    return &header_fields::expect;
  case http::field::upgrade:
    return &header_fields::upgrade;
  case http::field::sec_websocket_key:
    return &header_fields::websocket_key;
  case http::field::sec_websocket_version:
    return &header_fields::websocket_version;
  case http::field::accept:
    return &header_fields::accept;
  case http::field::access_control_request_method:
    return &header_fields::access_control_request_method;
  default:
    return nullptr;
  }
}

/// The same for names that Beast does not number.
inline std::string_view header_fields::*
place_of(boost::beast::string_view name) {
  if (boost::beast::iequals(name, "x-request-id"))
    return &header_fields::request_id;
  if (boost::beast::iequals(name, "idempotency-key"))
    return &header_fields::idempotency_key;
  if (boost::beast::iequals(name, "last-event-id"))
    return &header_fields::last_event_id;
  if (boost::beast::iequals(name, "traceparent"))
    return &header_fields::traceparent;
  if (boost::beast::iequals(name, "sec-ch-dpr")
      || boost::beast::iequals(name, "dpr"))
    return &header_fields::dpr;
  if (boost::beast::iequals(name, "sec-ch-width")
      || boost::beast::iequals(name, "width"))
    return &header_fields::hint_width;
  return nullptr;
}

inline std::string_view view_of(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

/// True for fields that may come in several lines: lists, and what others add
/// on the way, of which the first is taken.
inline bool may_repeat(std::string_view header_fields::*place) {
  return place == &header_fields::accept || place == &header_fields::dpr
         || place == &header_fields::hint_width
         || place == &header_fields::if_match
         || place == &header_fields::if_none_match
         || place == &header_fields::upgrade
         || place == &header_fields::request_id
         || place == &header_fields::traceparent;
}

/// What a header says of itself besides its fields' values.
struct field_facts {
  std::size_t hosts = 0;
  /// A field that must not stand twice and does; empty if there is none.
  std::string_view repeated = {};
  /// The body's length cannot be known (RFC 9112, 6.3).
  bool misframed = false;
};

/// Transfer-Encoding must say chunked and nothing else; in HTTP/1.0, nothing.
inline bool is_misframed(const http::request_header<>& head) {
  const auto [from, to] = head.equal_range(http::field::transfer_encoding);
  if (from == to)
    return false;
  return head.version() < 11 || std::next(from) != to
         || !boost::beast::iequals(from->value(), "chunked");
}

/// Without it, Upgrade is to be ignored (RFC 9110, 7.8).
inline bool asks_to_upgrade(const http::request_header<>& head) {
  return head.version() >= 11
         && http::token_list{head[http::field::connection]}.exists("upgrade");
}

inline field_facts read_fields(const http::request_header<>& head,
                               header_fields& out) {
  field_facts facts;
  facts.misframed = is_misframed(head);
  for (const auto& field : head) {
    const auto place = field.name() == http::field::unknown
                         ? place_of(field.name_string())
                         : place_of(field.name());
    facts.hosts += field.name() == http::field::host;
    if (!place)
      continue;
    if ((out.*place).data() == nullptr)
      out.*place = view_of(field.value());
    else if (!may_repeat(place))
      facts.repeated = view_of(field.name_string());
  }
  return facts;
}

/// The header as it came, but for white space.
inline std::string text_of(const http::request_header<>& head) {
  std::string out;
  out.append(view_of(head.method_string())).append(" ");
  out.append(view_of(head.target())).append(" HTTP/1.1\r\n");
  for (const auto& field : head)
    out.append(view_of(field.name_string()))
      .append(": ")
      .append(view_of(field.value()))
      .append("\r\n");
  return out.append("\r\n");
}

} // namespace troupe::net
