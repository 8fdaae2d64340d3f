#pragma once

#include "actors/store/job.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::store {

/// What happens when a schedule is due and its last job has not ended.
enum class overlap_policy : std::uint8_t {
  skip, ///< nothing
  allow,
};

/// What becomes of times that went by while no server was there. A minute
/// late counts as on time.
enum class catch_up_policy : std::uint8_t {
  none,
  one, ///< the newest of them is made up for
  all, ///< the newest 100
};

[[nodiscard]] std::string_view to_string(overlap_policy policy) noexcept;
[[nodiscard]] bool from_string(std::string_view text,
                               overlap_policy& out) noexcept;
[[nodiscard]] std::string_view to_string(catch_up_policy policy) noexcept;
[[nodiscard]] bool from_string(std::string_view text,
                               catch_up_policy& out) noexcept;

/// A recurring job. The store sets what stands below `owner`.
struct schedule {
  std::string name;
  std::string cron;     ///< as `cron::parse` takes it
  std::string timezone; ///< empty: UTC
  job_draft job;        ///< its `id`, `run_at` and `delay_ms` are not used
  overlap_policy overlap = overlap_policy::skip;
  catch_up_policy catch_up = catch_up_policy::none;
  std::string owner;

  std::uint64_t generation = 0; ///< raised when `cron` or `timezone` change
  timestamp_ms next_at = 0;     ///< 0: never again
  timestamp_ms last_at = 0;     ///< for when it made its last job; 0: none yet
  std::string last_job;

  bool operator==(const schedule&) const = default;
};

} // namespace troupe::store
