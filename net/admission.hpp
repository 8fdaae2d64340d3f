#pragma once

#include "net/origin_guard.hpp"
#include "net/router.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace troupe::net {

/// What the header of a request says, before any of its body is read.
struct request_head {
  std::string_view method;
  std::string_view target;
  bool http_1_1 = true;
  bool one_host = true; ///< there is exactly one Host field
  /// A field that stands twice and must not; empty if there is none.
  std::string_view repeated;
  bool has_body = false;
  std::optional<std::uint64_t> content_length;
};

/// Decides by the header alone whether a request is served: method, Host,
/// Origin, route, query, length and type of the body, expectations; answers
/// OPTIONS.
/// Fills `req.method` and `req.target`.
/// @returns where the request leads to, or the answer
[[nodiscard]] std::variant<match, response> admit(const router& routes,
                                                  const origin_guard& guard,
                                                  const request_head& head,
                                                  request& req);

/// The X-Request-Id of a client if it is 1 to 128 visible characters, else a
/// new one.
[[nodiscard]] std::string request_id_of(std::string_view given);

/// The fields that let pages of listed origins read an answer.
void append_cors(std::string& out, const origin_guard& guard,
                 std::string_view origin);

} // namespace troupe::net
