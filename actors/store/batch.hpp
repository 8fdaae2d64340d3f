#pragma once

#include "actors/store/job.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace troupe::store {

/// Jobs in one batch at most.
inline constexpr std::size_t max_batch_jobs = 10000;

/// Jobs submitted together, all or none; closed once it is created.
struct batch_draft {
  std::string id;
  std::string owner;
  std::vector<std::string> tags;
  std::string callback_url; ///< told when the batch has finished
  /// What one of its jobs wants at least; the store waits for it if it can.
  durability asked = durability::memory;
  /// What is reached, or the batch is taken back: `not_durable`.
  durability required = durability::memory;

  bool operator==(const batch_draft&) const = default;
};

struct batch : batch_draft {
  timestamp_ms created_at = 0;
  timestamp_ms finished_at = 0; ///< when its last job ended for the first time
  std::uint64_t total = 0;
  /// By `job_state`. Jobs that have been purged count as they ended.
  std::array<std::uint64_t, job_state_count> by_state{};

  [[nodiscard]] std::uint64_t ended() const noexcept {
    std::uint64_t jobs = 0;
    for (std::size_t state = 0; state < job_state_count; ++state)
      if (is_terminal(static_cast<job_state>(state)))
        jobs += by_state[state];
    return jobs;
  }

  bool operator==(const batch&) const = default;
};

/// What a batch's submit answers.
struct batch_submitted {
  struct batch batch;
  std::vector<std::string> ids; ///< of its jobs, in the order of the drafts
  bool replayed = false;        ///< answered before, under this idempotency key
};

} // namespace troupe::store
