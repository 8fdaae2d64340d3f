#include "net/media_problem.hpp"

namespace troupe::net {

problem_code problem_code_of(media::errc code) {
  switch (code) {
  case media::errc::source_not_found:
    return problem_code::not_found;
  case media::errc::source_forbidden:
    return problem_code::source_forbidden;
  case media::errc::too_large:
    return problem_code::body_too_large;
  case media::errc::internal:
    return problem_code::internal;
  case media::errc::timeout:
    return problem_code::deadline;
  case media::errc::rate_limited:
    return problem_code::rate_limited;
  case media::errc::memory:
  case media::errc::crashed:
  case media::errc::sandbox:
    return problem_code::invalid_params;
  default:
    return media::may_pass(code) ? problem_code::deadline
                                 : problem_code::invalid_params;
  }
}

} // namespace troupe::net
