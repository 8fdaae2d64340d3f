#include "net/admission.hpp"

#include "config/text.hpp"
#include "net/query.hpp"
#include "net/response_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <random>

namespace troupe::net {

namespace {

using config::lower;

bool is_json(std::string_view content_type) {
  const auto end = content_type.find(';');
  auto type = lower(content_type.substr(0, end));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t'))
    type.pop_back();
  return type == "application/json";
}

/// A body in a coding (RFC 9110, 12.5.3: the answer says which would do).
response refuse_coding() {
  auto out = answer({problem_code::unsupported_media_type,
                     "a body must come without Content-Encoding"});
  out.headers.emplace_back("Accept-Encoding", "identity");
  return out;
}

std::optional<response> body_fault(const request_head& head,
                                   const header_fields& fields,
                                   const route& to) {
  if (!fields.expect.empty() && lower(fields.expect) != "100-continue")
    return answer(
      {problem_code::expectation_failed, "only 100-continue is known"});
  if (head.content_length.value_or(0) > to.max_body)
    return answer({problem_code::body_too_large,
                   "a body may have at most "
                     + std::to_string(to.max_body >> 20) + " MiB here"});
  if (!head.has_body)
    return std::nullopt;
  const auto coding = lower(fields.content_encoding);
  if (!coding.empty() && coding != "identity")
    return refuse_coding();
  if (to.form == body_form::json && !is_json(fields.content_type))
    return answer({problem_code::unsupported_media_type,
                   "Content-Type must be application/json"});
  return std::nullopt;
}

std::optional<problem> form_fault(const request_head& head, request& req) {
  req.method = verb_of(head.method);
  if (head.http_1_1 ? !head.one_host : req.headers.host.empty())
    return problem{problem_code::invalid_request,
                   "there must be exactly one Host field"};
  if (!head.repeated.empty())
    return problem{problem_code::invalid_request,
                   std::string{head.repeated} + " stands more than once"};
  // The target of CONNECT is an authority, and none is served here; an
  // asterisk is for OPTIONS alone (RFC 9112, 3.2.4).
  const bool tunnel = head.method == "CONNECT";
  const auto target = tunnel ? "*" : head.target;
  const bool good = target != "*" || tunnel || req.method == verb::options;
  if (!good || !parse_target(target, req.target))
    return problem{problem_code::invalid_request,
                   "the request's target is not well-formed"};
  // What the target says counts, whatever Host does (RFC 9112, 3.2.2).
  if (!req.target.authority.empty())
    req.headers.host = req.target.authority;
  // The server itself, in absolute form (RFC 9112, 3.2.4).
  if (req.method == verb::options && req.target.path.empty()
      && req.target.query.empty())
    req.target.path = "*";
  return std::nullopt;
}

/// Pages may open WebSockets anywhere and change things without reading the
/// answer; what they only read, they cannot see without CORS.
bool is_guarded(const request& req) {
  return !is_safe(req.method) || !req.headers.upgrade.empty();
}

response answer_options(const match& found, const request& req,
                        const origin_guard& guard) {
  const bool preflight = !req.headers.origin.empty()
                         && !req.headers.access_control_request_method.empty();
  if (preflight && !guard.is_listed(req.headers.origin))
    return answer({problem_code::forbidden,
                   "this Origin is not let in (see http.origins)"});
  response out;
  out.status = 204;
  out.headers.emplace_back("Allow", found.allow);
  if (!preflight)
    return out;
  out.headers.emplace_back("Access-Control-Allow-Methods", found.allow);
  out.headers.emplace_back(
    "Access-Control-Allow-Headers",
    "Content-Type, Idempotency-Key, Last-Event-ID, Range, X-Request-Id, "
    "traceparent");
  out.headers.emplace_back("Access-Control-Max-Age", "600");
  return out;
}

std::variant<match, response>
route_for(const router& routes, const origin_guard& guard, const request& req) {
  auto found = routes.find(req.method, req.target);
  if (found.route)
    return found;
  if (req.target.path == "*")
    found.allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
  if (found.allow.empty())
    return answer({problem_code::not_found, "there is nothing at this path"});
  if (req.method == verb::options)
    return answer_options(found, req, guard);
  auto out = answer(
    {problem_code::method_not_allowed, "this path takes " + found.allow});
  out.headers.emplace_back("Allow", std::move(found.allow));
  return out;
}

} // namespace

std::variant<match, response> admit(const router& routes,
                                    const origin_guard& guard,
                                    const request_head& head, request& req) {
  if (const auto fault = form_fault(head, req))
    return answer(*fault);
  if (const auto fault = guard.check(req.headers, is_guarded(req)))
    return answer(*fault);
  auto found = route_for(routes, guard, req);
  const auto* here = std::get_if<match>(&found);
  if (!here)
    return found;
  if (auto fault = body_fault(head, req.headers, *here->route))
    return std::move(*fault);
  if (here->route->query == query_use::none)
    if (const auto fault = refuse_parameters(req.target))
      return answer(*fault);
  return found;
}

std::string request_id_of(std::string_view given) {
  const bool good =
    !given.empty() && given.size() <= 128
    && std::ranges::all_of(given, [](char c) { return c > 0x20 && c < 0x7f; });
  if (good)
    return std::string{given};
  // Unique is enough: nobody is trusted for knowing one.
  thread_local std::mt19937_64 random{std::random_device{}()};
  std::array<char, 16> digits;
  const auto end =
    std::to_chars(digits.data(), digits.data() + digits.size(), random(), 16);
  return {digits.data(), end.ptr};
}

void append_cors(std::string& out, const origin_guard& guard,
                 std::string_view origin) {
  if (!guard.lists_any())
    return;
  // Also without an Origin: a shared cache must not give one's copy to another.
  out += vary_origin;
  if (origin.empty() || !guard.is_listed(origin))
    return;
  out.append("Access-Control-Allow-Origin: ").append(origin);
  out += "\r\nAccess-Control-Expose-Headers: Location, Retry-After, "
         "X-Request-Id, Idempotency-Replayed, Content-Range, ETag\r\n";
}

} // namespace troupe::net
