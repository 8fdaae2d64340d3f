#pragma once

#include "actors/store/job_store.hpp"

#include <string>
#include <string_view>

/// The lines of a job's own log: `{RFC 3339 time} {level} {message}\n`.
namespace troupe::actors {

/// Now, by this machine's clock.
[[nodiscard]] timestamp_ms wall_clock() noexcept;

/// One line. Control characters become blanks, what is no UTF-8 U+FFFD.
[[nodiscard]] std::string log_line(timestamp_ms time, std::string_view level,
                                   std::string_view message);

/// The level of a tool's line: `error`, `warning` or `info`, by how it begins.
[[nodiscard]] std::string_view level_of_line(std::string_view line);

/// An attempt begins.
[[nodiscard]] std::string start_line(timestamp_ms time, std::uint32_t attempt,
                                     std::string_view node);

/// An attempt ends by this operation; empty for one that ends none.
[[nodiscard]] std::string outcome_line(const store::operation& op,
                                       timestamp_ms time);

/// A lease ran out, and its job goes on or has failed; empty if it was not
/// lost.
[[nodiscard]] std::string loss_line(const store::job& job, timestamp_ms time);

/// The log as it is shown. Of a job whose attempts said nothing nothing is
/// stored, and its lines are made from the job itself.
[[nodiscard]] std::string shown_log(const store::job& job, std::string stored);

/// Writes a line to the server's log: `what` happened to this job.
void tell_of(std::string_view what, const store::job& job);

} // namespace troupe::actors
