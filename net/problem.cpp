#include "net/problem.hpp"

#include "actors/gateway.hpp"
#include "actors/store/errc.hpp"
#include "actors/store/json_text.hpp"
#include "media/errc.hpp"

#include <array>

namespace troupe::net {

namespace {

constexpr std::array<problem_kind, problem_code_count> kinds{{
  {"invalid_json", 400, "The body is not valid JSON"},
  {"invalid_page_token", 400, "Not a page token of this list"},
  {"invalid_request", 400, "The request is not well-formed"},
  {"unauthorized", 401, "Nobody is logged in"},
  {"forbidden", 403, "Not allowed"},
  {"not_found", 404, "Not found"},
  {"method_not_allowed", 405, "The method is not allowed here"},
  {"invalid_state", 409, "Not possible in the job's state"},
  {"idempotency_in_progress", 409, "The first request is still under way"},
  {"body_too_large", 413, "The body is too large"},
  {"unsupported_media_type", 415, "The body must be application/json"},
  {"invalid_params", 422, "Some fields are not valid"},
  {"unknown_job_type", 422, "There is no job type of this name"},
  {"source_forbidden", 422, "The source's address is not allowed"},
  {"idempotency_mismatch", 422, "The idempotency key had another body"},
  {"rate_limited", 429, "Too many requests"},
  {"queue_full", 503, "The queue is full"},
  {"store_unavailable", 503, "The job store does not answer"},
  {"durability_unavailable", 503, "The durability asked for is not reached"},
  {"draining", 503, "The server is stopping"},
  {"deadline", 504, "No answer in time"},
  {"source_unavailable", 503, "The source gives no usable answer"},
  {"internal", 500, "Something is wrong with the server"},
}};

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
    return {problem_code::invalid_state, why.message()};
  case store::errc::queue_full:
    return retry(problem_code::queue_full, why.message());
  case store::errc::idempotency_mismatch:
    return {problem_code::idempotency_mismatch, why.message()};
  case store::errc::bad_page_token:
    return {problem_code::invalid_page_token, why.message()};
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
    return {problem_code::deadline, why.message()};
  case actors::errc::draining:
    return retry(problem_code::draining, why.message());
  case actors::errc::overloaded:
    return retry(problem_code::rate_limited, why.message());
  case actors::errc::unavailable:
    return retry(problem_code::store_unavailable, why.message());
  case actors::errc::idempotency_in_progress:
    return retry(problem_code::idempotency_in_progress, why.message());
  case actors::errc::bad_topic:
    return {problem_code::invalid_params, why.message()};
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
  if (code == media::errc::timeout)
    return {problem_code::deadline, text};
  if (code == media::errc::internal)
    return {problem_code::internal, text};
  if (media::may_pass(code) || code == media::errc::tool_missing)
    return retry(problem_code::source_unavailable, text, 5);
  return {problem_code::invalid_params, text, {{"/url", text, word}}};
}

void append_error(std::string& out, const field_error& error) {
  out += R"({"pointer":)";
  json::append_string(out, error.pointer);
  out += R"(,"detail":)";
  json::append_string(out, error.detail);
  if (!error.code.empty()) {
    out += R"(,"code":)";
    json::append_string(out, error.code);
  }
  out += '}';
}

unsigned status_of(const problem& what) {
  return what.status ? what.status : kind_of(what.code).status;
}

} // namespace

const problem_kind& kind_of(problem_code code) noexcept {
  return kinds[static_cast<std::size_t>(code)];
}

problem problem_of(const failure& why) {
  const auto& category = why.code.category();
  const auto code = why.code.value();
  if (category == store::store_category())
    return of_store(static_cast<store::errc>(code), why);
  if (category == actors::actors_category())
    return of_actors(static_cast<actors::errc>(code), why);
  if (category == media::media_category())
    return of_media(static_cast<media::errc>(code), why);
  return {problem_code::internal, why.message()};
}

std::string to_json(const problem& what) {
  const auto& kind = kind_of(what.code);
  std::string out = R"({"type":"urn:troupe:problem:)";
  out += kind.word;
  out += R"(","title":)";
  json::append_string(out, kind.title);
  out += R"(,"status":)";
  json::append_number(out, status_of(what));
  out += R"(,"detail":)";
  json::append_string(out, what.detail);
  out += R"(,"code":)";
  json::append_string(out, kind.word);
  if (!what.errors.empty()) {
    out += R"(,"errors":[)";
    for (std::size_t i = 0; i < what.errors.size(); ++i) {
      if (i > 0)
        out += ',';
      append_error(out, what.errors[i]);
    }
    out += ']';
  }
  out += '}';
  return out;
}

response answer(const problem& what) {
  response out;
  out.status = status_of(what);
  out.content_type = "application/problem+json";
  out.body = to_json(what);
  if (what.retry_after_s > 0)
    out.headers.emplace_back("Retry-After",
                             std::to_string(what.retry_after_s));
  return out;
}

std::string pointer_to(std::string_view parent, std::string_view name) {
  std::string out{parent};
  out += '/';
  for (const char c : name)
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  return out;
}

} // namespace troupe::net
