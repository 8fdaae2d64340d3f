#pragma once

#include "actors/store/job_store.hpp"

#include <string_view>

namespace troupe::actors {

/// Now, by this machine's clock.
[[nodiscard]] timestamp_ms wall_clock() noexcept;

/// The level of a tool's line: `error`, `warning` or `info`, by how it begins.
[[nodiscard]] std::string_view level_of_line(std::string_view line);

/// Writes a line to the server's log: `what` happened to this job.
void tell_of(std::string_view what, const store::job& job);

} // namespace troupe::actors
