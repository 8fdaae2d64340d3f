#include "net/problem.hpp"

#include "actors/store/json_text.hpp"
#include "config/credentials.hpp"

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
  {"unsupported_media_type", 415, "The body's type or coding is not taken"},
  {"invalid_params", 422, "Some fields are not valid"},
  {"unknown_job_type", 422, "There is no job type of this name"},
  {"source_forbidden", 422, "The source may not be read"},
  {"idempotency_mismatch", 422, "The idempotency key had another body"},
  {"rate_limited", 429, "Too many requests"},
  {"queue_full", 503, "The queue is full"},
  {"store_unavailable", 503, "The job store does not answer"},
  {"durability_unavailable", 503, "The durability asked for is not reached"},
  {"draining", 503, "The server is stopping"},
  {"deadline", 504, "No answer in time"},
  {"tool_missing", 503, "A tool that this needs is not installed"},
  {"internal", 500, "Something is wrong with the server"},
  {"request_timeout", 408, "The request came too slowly"},
  {"range_not_satisfiable", 416, "The file has no such range"},
  {"expectation_failed", 417, "The expectation cannot be met"},
  {"upgrade_required", 426, "The connection must be upgraded"},
  {"header_too_large", 431, "The request's header is too large"},
  {"precondition_failed", 412, "The file is not the one that was meant"},
  {"source_unavailable", 503, "The source cannot be read at present"},
  {"disk_full", 507, "The server's disk is full"},
}};

unsigned status_of(const problem& what) {
  return what.status ? what.status : kind_of(what.code).status;
}

} // namespace

const problem_kind& kind_of(problem_code code) noexcept {
  return kinds[static_cast<std::size_t>(code)];
}

void append_error(std::string& out, const field_error& error) {
  out += R"({"pointer":)";
  json::append_string(out, error.pointer);
  out += R"(,"detail":)";
  json::append_string(out, config::hide_credentials(error.detail));
  if (!error.code.empty()) {
    out += R"(,"code":)";
    json::append_string(out, error.code);
  }
  out += '}';
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
  json::append_string(out, config::hide_credentials(what.detail));
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
    out.headers.emplace_back("Retry-After", std::to_string(what.retry_after_s));
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
