#pragma once

#include "actors/store/job_store.hpp"

#include <span>
#include <string>
#include <string_view>

/// Snapshots that a subscription begins with, as JSON; see "Events" in the API
/// document.
namespace troupe::actors {

/// Running jobs that the snapshot of `jobs` shows at most.
inline constexpr std::uint32_t snapshot_jobs = 200;

/// `{"counts": {…}, "running": […], "truncated": …}`.
/// @param most bytes of it; it shows no more jobs than go into them
[[nodiscard]] std::string
jobs_snapshot(std::span<const store::queue_depth> depths,
              const store::job_page& running, std::size_t most);

/// The queue as `GET /v1/queues` shows it; one without jobs is empty.
[[nodiscard]] std::string
queue_snapshot(std::string_view queue,
               std::span<const store::queue_info> queues);

/// `{"scheduled": 0, …}`, all states.
void append_counts(std::string& out,
                   std::span<const std::uint64_t, store::job_state_count> by);

} // namespace troupe::actors
