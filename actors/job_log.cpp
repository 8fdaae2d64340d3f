#include "actors/job_log.hpp"

#include "actors/store/json_text.hpp"
#include "config/log.hpp"
#include "config/utf8.hpp"

#include <chrono>

namespace troupe::actors {

namespace {

/// A log at its limit has lost its first lines; nothing is put before it then.
constexpr std::size_t nearly_full = 60u << 10;

std::string text_of(timestamp_ms time) {
  std::string quoted;
  json::append_time(quoted, time);
  return quoted.size() > 2 ? quoted.substr(1, quoted.size() - 2) : "-";
}

struct teller {
  std::string operator()(const store::succeed_op&) const {
    return "succeeded";
  }
  std::string operator()(const store::fail_op& op) const {
    return "attempt failed: " + op.code
           + (op.message.empty() ? "" : ": " + op.message);
  }
  std::string operator()(const store::release_op& op) const {
    return op.reason == store::release_reason::node_lost
             ? "the attempt was lost with its node"
             : "the attempt was stopped and given back";
  }
  template <class Other>
  std::string operator()(const Other&) const {
    return {};
  }
};

/// What a job itself tells of its attempts.
std::string lines_from(const store::job& job) {
  std::string out;
  if (job.started_at > 0)
    out += start_line(job.started_at, job.attempt, job.node);
  for (const auto& error : job.errors)
    out +=
      log_line(job.finished_at > 0 ? job.finished_at : job.started_at, "error",
               "attempt failed: " + error.code + ": " + error.message);
  if (job.finished_at > 0 && job.state != store::job_state::failed)
    out += log_line(job.finished_at, "info", store::to_string(job.state));
  return out;
}

} // namespace

timestamp_ms wall_clock() noexcept {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch())
    .count();
}

std::string log_line(timestamp_ms time, std::string_view level,
                     std::string_view message) {
  auto out = text_of(time);
  out.append(" ").append(level).append(" ");
  for (const char c : config::valid_utf8(message))
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  out += '\n';
  return out;
}

std::string_view level_of_line(std::string_view line) {
  if (line.starts_with("ERROR"))
    return "error";
  return line.starts_with("WARNING") ? "warning" : "info";
}

std::string start_line(timestamp_ms time, std::uint32_t attempt,
                       std::string_view node) {
  auto message = "attempt " + std::to_string(attempt) + " started on ";
  return log_line(time, "info", message.append(node));
}

std::string outcome_line(const store::operation& op, timestamp_ms time) {
  const auto said = std::visit(teller{}, op);
  if (said.empty())
    return {};
  return log_line(
    time, std::holds_alternative<store::fail_op>(op) ? "error" : "info", said);
}

std::string loss_line(const store::job& job, timestamp_ms time) {
  if (job.state == store::job_state::cancelled || job.errors.empty()
      || job.errors.back().code != "node_lost")
    return {};
  return log_line(time, "error", "an attempt was lost with its node");
}

std::string shown_log(const store::job& job, std::string stored) {
  if (stored.size() > nearly_full)
    return stored;
  std::string born = "created";
  if (!job.request_id.empty())
    born += " request=" + job.request_id;
  if (!job.traceparent.empty())
    born += " traceparent=" + job.traceparent;
  auto out = log_line(job.created_at, "info", born);
  out += stored.empty() ? lines_from(job) : stored;
  return out;
}

/// Those of `noop` jobs, which are for tests and benchmarks, for debugging
/// only.
void tell_of(std::string_view what, const store::job& job) {
  const bool quiet = job.type == "noop";
  if (quiet ? !log::debugs() : !log::informs())
    return;
  const auto error =
    job.errors.empty() || job.state == store::job_state::running
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
