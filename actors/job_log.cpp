#include "actors/job_log.hpp"

#include "config/log.hpp"

#include <chrono>

namespace troupe::actors {

timestamp_ms wall_clock() noexcept {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch())
    .count();
}

std::string_view level_of_line(std::string_view line) {
  if (line.starts_with("ERROR"))
    return "error";
  return line.starts_with("WARNING") ? "warning" : "info";
}

/// Those of `noop` jobs, which are for tests and benchmarks, for debugging
/// only.
void tell_of(std::string_view what, const store::job& job) {
  const bool quiet = job.type == "noop";
  if (quiet ? !log::debugs() : !log::informs())
    return;
  const auto error = job.errors.empty()
                         || job.state == store::job_state::running
                         || job.state == store::job_state::succeeded
                       ? std::string{}
                       : job.errors.back().code;
  (quiet ? log::debug
         : log::info)(what, {{"job", job.id},
                             {"type", job.type},
                             {"state", std::string{to_string(job.state)}},
                             {"attempt", std::to_string(job.attempt)},
                             {"error", error},
                             {"request", job.request_id},
                             {"traceparent", job.traceparent}});
}

} // namespace troupe::actors
