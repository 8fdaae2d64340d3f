#include "net/http.hpp"

#include <algorithm>
#include <array>

namespace troupe::net {

namespace {

constexpr std::array<std::string_view, verb_count> verb_names{
  "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "OTHER"};

} // namespace

std::string_view to_string(verb method) noexcept {
  return verb_names[static_cast<std::size_t>(method)];
}

verb verb_of(std::string_view text) noexcept {
  const auto at = std::ranges::find(verb_names, text);
  return at == verb_names.end() ? verb::other
                                : static_cast<verb>(at - verb_names.begin());
}

std::string_view reason_of(unsigned status) noexcept {
  struct reason {
    unsigned status;
    std::string_view text;
  };
  static constexpr std::array reasons{
    reason{100, "Continue"},
    reason{200, "OK"},
    reason{201, "Created"},
    reason{202, "Accepted"},
    reason{204, "No Content"},
    reason{206, "Partial Content"},
    reason{304, "Not Modified"},
    reason{400, "Bad Request"},
    reason{401, "Unauthorized"},
    reason{403, "Forbidden"},
    reason{404, "Not Found"},
    reason{405, "Method Not Allowed"},
    reason{408, "Request Timeout"},
    reason{409, "Conflict"},
    reason{412, "Precondition Failed"},
    reason{413, "Content Too Large"},
    reason{415, "Unsupported Media Type"},
    reason{416, "Range Not Satisfiable"},
    reason{417, "Expectation Failed"},
    reason{422, "Unprocessable Content"},
    reason{426, "Upgrade Required"},
    reason{429, "Too Many Requests"},
    reason{431, "Request Header Fields Too Large"},
    reason{500, "Internal Server Error"},
    reason{503, "Service Unavailable"},
    reason{504, "Gateway Timeout"},
    reason{505, "HTTP Version Not Supported"},
    reason{507, "Insufficient Storage"},
  };
  const auto at = std::ranges::find(reasons, status, &reason::status);
  return at == reasons.end() ? "Unknown" : at->text;
}

} // namespace troupe::net
