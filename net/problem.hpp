#pragma once

#include "config/result.hpp"
#include "net/http.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::net {

/// The words in `code`, in the order of the API document; then our own.
enum class problem_code : std::uint8_t {
  invalid_json,
  invalid_page_token,
  invalid_request,
  unauthorized,
  forbidden,
  not_found,
  method_not_allowed,
  invalid_state,
  idempotency_in_progress,
  body_too_large,
  unsupported_media_type,
  invalid_params,
  unknown_job_type,
  source_forbidden,
  idempotency_mismatch,
  rate_limited,
  queue_full,
  store_unavailable,
  durability_unavailable,
  draining,
  deadline,
  tool_missing,
  internal, ///< 500: a defect of ours
  request_timeout,
  range_not_satisfiable,
  expectation_failed,
  upgrade_required,
  header_too_large,
  precondition_failed,
  source_unavailable,
  disk_full,
};
inline constexpr std::size_t problem_code_count = 31;

struct problem_kind {
  std::string_view word;
  unsigned status;
  std::string_view title;
};

[[nodiscard]] const problem_kind& kind_of(problem_code code) noexcept;

/// One field that is wrong.
struct field_error {
  std::string pointer; ///< RFC 6901; of a query parameter: `/name`
  std::string detail;
  std::string code; ///< a word to branch on, where there is one
};

/// What is wrong, as RFC 9457 puts it.
struct problem {
  problem_code code = problem_code::internal;
  std::string detail;
  std::vector<field_error> errors = {};
  unsigned status = 0;        ///< 0: the code's own
  unsigned retry_after_s = 0; ///< 0: none is given
};

/// How the edge tells of a failure below: of the store, the actors, or media.
[[nodiscard]] problem problem_of(const failure& why);

/// `application/problem+json`.
[[nodiscard]] response answer(const problem& what);

/// Appends one entry of `errors`.
void append_error(std::string& out, const field_error& error);

/// The body alone.
[[nodiscard]] std::string to_json(const problem& what);

/// Appends a member's name to a JSON pointer, escaped (RFC 6901, 3).
[[nodiscard]] std::string pointer_to(std::string_view parent,
                                     std::string_view name);

} // namespace troupe::net
