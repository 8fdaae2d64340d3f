#pragma once

#include "net/edge.hpp"
#include "net/job_id.hpp"
#include "net/routes.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// What handlers have in common.
namespace troupe::net {

/// How long the actors have for an ordinary answer.
[[nodiscard]] inline std::chrono::milliseconds limit_of(const edge& at) {
  return std::chrono::seconds{at.settings.request_timeout_s};
}

/// Says whose request a job came with.
inline void trace(store::job_draft& job, const request& req) {
  job.owner = req.principal;
  job.request_id = req.id;
  if (is_traceparent(req.headers.traceparent))
    job.traceparent = req.headers.traceparent;
}

/// Why the request's idempotency key may not be used; nothing where there is
/// none. A field that says nothing is none that may be used.
[[nodiscard]] std::optional<problem> key_fault(const request& req);

/// A command takes no body; one that says nothing is let through.
[[nodiscard]] inline bool has_body(const request& req) {
  return req.body.find_first_not_of(" \t\r\n") != req.body.npos
         && req.body != "{}" && req.body != "null";
}

[[nodiscard]] inline response refuse_body() {
  return answer({problem_code::invalid_params,
                 "this call takes no body",
                 {{"", "must be absent", {}}}});
}

[[nodiscard]] inline response not_found(std::string detail) {
  return answer({problem_code::not_found, std::move(detail)});
}

/// An answer of JSON that `T` has an `append_json` for.
template <class T>
[[nodiscard]] response json_answer(const T& what, unsigned status = 200) {
  response out;
  out.status = status;
  append_json(out.body, what);
  return out;
}

/// Asks the gateway: `call(gateway, reply)`.
template <class T, class Call>
boost::asio::awaitable<result<T>> ask(edge& at, Call call) {
  auto start = [&at,
                call = std::move(call)](actors::reply_to<T> reply) mutable {
    call(at.parts.gateway, std::move(reply));
  };
  co_return co_await at.asks.ask<T>(limit_of(at), std::move(start));
}

/// Applies one operation; a refusal of the store is an error here.
boost::asio::awaitable<result<void>> change(edge& at, store::operation op);

} // namespace troupe::net
