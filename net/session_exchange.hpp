#pragma once

#include "net/response_text.hpp"
#include "net/session.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <string_view>

namespace troupe::net {

/// For waits whose error is a value.
inline constexpr auto with_error =
  boost::asio::as_tuple(boost::asio::use_awaitable);

/// So much is taken at once of a request's body.
inline constexpr std::size_t body_step = 64 * 1024;

/// One request and its answer.
struct session::exchange {
  boost::beast::http::request_parser<boost::beast::http::string_body> parser =
    {};
  request req = {};
  std::string_view pattern = {};
  std::uint64_t max_body = 0;
  connection_use use = connection_use::kept;
  clock::time_point started = clock::now();
};

} // namespace troupe::net
