#include "actors/gateway.hpp"
#include "actors/store/errc.hpp"
#include "media/errc.hpp"
#include "net/problem.hpp"

namespace troupe::net {

namespace {

problem retry(problem_code code, std::string detail, unsigned after_s = 1) {
  problem out{code, std::move(detail)};
  out.retry_after_s = after_s;
  return out;
}

problem of_store(store::errc code, const failure& why) {
  switch (code) {
  case store::errc::unavailable:
  case store::errc::disk_full:
    return retry(problem_code::store_unavailable, why.message());
  case store::errc::not_found:
    return {problem_code::not_found, why.message()};
  case store::errc::invalid_state:
  case store::errc::parent_failed:
  case store::errc::no_result:
    return {problem_code::invalid_state, why.message()};
  case store::errc::not_durable:
    return retry(problem_code::durability_unavailable, why.message());
  case store::errc::queue_full:
    return retry(problem_code::queue_full, why.message());
  case store::errc::idempotency_mismatch:
    return {problem_code::idempotency_mismatch, why.message()};
  case store::errc::bad_page_token:
    return {problem_code::invalid_page_token, why.message()};
  case store::errc::no_parent:
    return {problem_code::invalid_params,
            why.message(),
            {{"/depends_on", "names a job that there is not", {}}}};
  case store::errc::bad_schedule:
    return {problem_code::invalid_params, why.message()};
  case store::errc::pausing:
  case store::errc::none:
  case store::errc::stale_fence:
  case store::errc::bad_config:
  case store::errc::corrupt:
  case store::errc::locked:
    break;
  }
  return {problem_code::internal, why.message()};
}

problem of_actors(actors::errc code, const failure& why) {
  switch (code) {
  case actors::errc::deadline:
    return retry(problem_code::deadline, why.message());
  case actors::errc::draining:
    return retry(problem_code::draining, why.message());
  case actors::errc::overloaded:
    return retry(problem_code::rate_limited, why.message());
  case actors::errc::too_many_asks:
    return retry(problem_code::queue_full, why.message());
  case actors::errc::unavailable:
    return retry(problem_code::store_unavailable, why.message());
  case actors::errc::idempotency_in_progress:
    return retry(problem_code::idempotency_in_progress, why.message());
  case actors::errc::bad_topic:
    return {problem_code::invalid_params, why.message()};
  case actors::errc::durability_unavailable:
    return retry(problem_code::durability_unavailable, why.message());
  case actors::errc::none:
    break;
  }
  return {problem_code::internal, why.message()};
}

/// Media failures reach the edge from looking at a URL.
problem of_media(media::errc code, const failure& why) {
  const std::string word{media::code_of(code)};
  const auto text = why.detail.empty() ? why.message() : why.detail;
  if (code == media::errc::source_forbidden)
    return {problem_code::source_forbidden, text, {{"/url", text, word}}};
  if (code == media::errc::rate_limited)
    return retry(problem_code::rate_limited, text, 60);
  if (code == media::errc::internal)
    return {problem_code::internal, text};
  if (code == media::errc::tool_missing)
    return retry(problem_code::tool_missing, text, 60);
  if (code == media::errc::timeout || code == media::errc::interrupted)
    return retry(problem_code::deadline, text, 5);
  if (code == media::errc::disk_full)
    return retry(problem_code::disk_full, text, 30);
  // Another time the source may be there.
  if (media::may_pass(code)) {
    auto out = retry(problem_code::source_unavailable, text, 5);
    out.errors.push_back({"/url", text, word});
    return out;
  }
  return {problem_code::invalid_params, text, {{"/url", text, word}}};
}

} // namespace

problem problem_of(const failure& why) {
  const auto& category = why.code.category();
  const auto code = why.code.value();
  if (category == store::store_category())
    return of_store(static_cast<store::errc>(code), why);
  if (category == actors::actors_category())
    return of_actors(static_cast<actors::errc>(code), why);
  if (category == actors::overload_category())
    return retry(problem_code::rate_limited, why.message(), code);
  if (category == media::media_category())
    return of_media(static_cast<media::errc>(code), why);
  return {problem_code::internal, why.message()};
}

} // namespace troupe::net
