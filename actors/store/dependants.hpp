#pragma once

#include "actors/store/operation.hpp"
#include "actors/store/transaction.hpp"
#include "actors/store/transitions.hpp"

#include <vector>

/// Jobs and what they hang on: the jobs that they depend on, their batch,
/// their callbacks.
///
/// A job that depends on others is in `waits` of each parent that it has not
/// seen the end of (`pending` counts them), and in `holds` of the others, until
/// it has ended itself; what stands in either is not forgotten. A parent has
/// `followed` set as soon as something stood there, so that its end writes a
/// record, `release`, by which `follow` finds those who wait.
namespace troupe::store {

/// Transitions are bounded by the bytes of their jobs. Making or undoing what
/// ties a job to one that it depends on costs a store as much as so many.
inline constexpr std::size_t bytes_per_edge = 1024;

/// What a transition of this job costs beside its own bytes.
[[nodiscard]] inline std::size_t bytes_of_edges(const job_draft& it) noexcept {
  return it.depends_on.size() * bytes_per_edge;
}

/// As `submit_op` without its idempotency key.
/// @param promised it was given a place before, see `transaction::insert`
applied add_job(const job_draft& draft, transaction& in, bool promised = false);

/// Adds the children of a `spawn_op`, those whose ids are new.
/// @return what was added; or `queue_full` or `no_parent`, and nothing was
result<std::vector<job>> add_children(const spawn_op& op, transaction& in);

/// `retry`, if the unique key is free and none of the parents has failed.
verdict retry_job(job& it, transaction& in);

/// Of one that is blocked or paused the links are lost: it waits anew for
/// those of its parents that are stored. If none is, their ends are past.
void wait_again(job& child, transaction& in);

/// Notes what follows from a job's end. Transactions call it for each job
/// that was saved as terminal and was not so before.
void job_ended(const job& it, transaction& in);

/// True for a terminal job that others, which have not ended, depend on.
bool is_awaited(const job& it, transaction& in);

/// True for a terminal job that `is_awaited`, belongs to an open batch or has
/// callbacks that are still to be delivered.
bool is_kept(const job& it, transaction& in);

/// Removes a job with its log and callbacks.
void forget_job(const job& it, transaction& in);

/// One step of a `release`: lets jobs go on that waited for `parent`.
/// @return how many; fewer than `max` when all have been found, else `max`
std::size_t release_some(const std::string& parent, std::size_t max,
                         std::vector<job>& changed, transaction& in);

/// One step of an `unhold`: an ended job no longer holds its parents.
void unhold(const std::string& child, transaction& in);

} // namespace troupe::store
