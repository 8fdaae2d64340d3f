#pragma once

#include "media/descriptor.hpp"
#include "net/target.hpp"
#include "net/traffic.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::net {

class upload;

enum class verb : std::uint8_t {
  get,
  head,
  post,
  put,
  patch,
  del,
  options,
  other, ///< one that nothing here takes
};
inline constexpr std::size_t verb_count = 8;

/// "GET", …; "OTHER"
[[nodiscard]] std::string_view to_string(verb method) noexcept;
/// Methods are case-sensitive (RFC 9110, 9.1).
[[nodiscard]] verb verb_of(std::string_view text) noexcept;

/// True for methods that must not change anything (RFC 9110, 9.2.1).
[[nodiscard]] constexpr bool is_safe(verb method) noexcept {
  return method == verb::get || method == verb::head || method == verb::options;
}

/// The request header fields that anybody here reads; empty if absent, and
/// then without data.
struct header_fields {
  std::string_view host;
  std::string_view origin;
  std::string_view content_type;
  std::string_view content_encoding;
  std::string_view idempotency_key;
  std::string_view request_id;
  std::string_view range;
  std::string_view if_range;
  std::string_view if_match;
  std::string_view if_none_match;
  std::string_view last_event_id;
  std::string_view traceparent;
  std::string_view expect;
  std::string_view upgrade;
  std::string_view websocket_key;
  std::string_view websocket_version;
  std::string_view access_control_request_method;
  std::string_view accept;
  std::string_view dpr;        ///< Sec-CH-DPR, else DPR
  std::string_view hint_width; ///< Sec-CH-Width, else Width
};

/// One request, whole. Views live as long as its handler runs.
struct request {
  verb method = verb::get;
  struct target target;
  header_fields headers;
  std::string_view body;
  std::string id; ///< the client's X-Request-Id, or one of ours
  /// Who asks; empty as long as nobody has to say so.
  std::string principal;
  std::shared_ptr<class upload> upload; ///< the body instead, if it is one
};

/// A part of an open file, sent as a body.
struct file_slice {
  std::shared_ptr<const media::descriptor> fd;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

/// One of several parts of a file.
struct file_part {
  std::string head; ///< goes before it
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

/// What a handler answers. The session adds Date, Content-Length, Connection,
/// X-Request-Id and what CORS asks for.
struct response {
  unsigned status = 200;
  std::string_view content_type = "application/json"; ///< static storage
  /// Names in static storage.
  std::vector<std::pair<std::string_view, std::string>> headers;
  std::string body;
  file_slice file; ///< instead of `body` if it has a descriptor
  /// Of that file, instead of its slice; then `body` follows.
  std::vector<file_part> parts = {};
  /// Instead of `body` if it is set: bytes that others hold too.
  std::shared_ptr<const std::string> shared = {};
  traffic kind = traffic::other;
  struct sender sender = {}; ///< for all but `traffic::other`

  [[nodiscard]] std::string_view bytes() const noexcept {
    return shared ? std::string_view{*shared} : std::string_view{body};
  }
};

/// "Accepted", …; "Unknown" for a status that we never send.
[[nodiscard]] std::string_view reason_of(unsigned status) noexcept;

} // namespace troupe::net
