#pragma once

#include "actors/event_messages.hpp"
#include "actors/job_ref.hpp"
#include "actors/node_view.hpp"
#include "actors/store/job_store.hpp"
#include "actors/travel.hpp"
#include "media/attempt.hpp"

#include <caf/meta/type_name.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <string>
#include <vector>

/// Leases on their way from the queue to an attempt, and what comes back.
/// Append only.
namespace troupe::actors {

// -- interfaces, as far as messages carry handles -----------------------------

struct stop_attempt;
struct publish_order;
struct settled;
struct lease_batch;
struct revoke_lease;
struct spawned;
struct wiring;
struct attempt_report;
struct checkpoint_report;
struct progress_report;
struct publish_report;
struct log_report;
struct discard_files;
struct drain_request;
struct drained;
struct retire_request;
struct callbacks_due;
struct node_sample;

/// One attempt at one job, on the node that its stage runs on. Its reports go
/// to the pool manager that it was given.
using job_actor = caf::typed_actor<
  // Ends the work; an `attempt_report` follows unless one was sent.
  caf::reacts_to<stop_attempt>,
  // Publishes the committed manifest; answered by a `publish_report`.
  caf::reacts_to<publish_order>,
  // Ends the actor: its report, if it waits for this, is stored or refused.
  caf::reacts_to<settled>>;

/// Places leases of one queue, monitors their job actors and settles each
/// lease exactly once.
using manager_actor = caf::typed_actor<
  // New leases, never more than the room announced.
  caf::reacts_to<lease_batch>,
  // A lease to be ended: cancelled or lost.
  caf::reacts_to<revoke_lease>,
  // The stage has spawned the actors of these leases. May come after their
  // reports.
  caf::reacts_to<spawned>,
  // What attempts have to say; the sender is the job actor.
  caf::reacts_to<attempt_report>, caf::reacts_to<checkpoint_report>,
  caf::reacts_to<progress_report>, caf::reacts_to<publish_report>,
  caf::reacts_to<log_report>,
  // Jobs that ended without an attempt of theirs: what earlier ones left goes.
  caf::reacts_to<discard_files>,
  // Who is who from now on.
  caf::reacts_to<wiring>,
  // What runs gets the grace, then `interrupted`; answered when the last
  // lease is settled or released.
  caf::replies_to<drain_request>::with<drained>,
  // How its machine and its queue are, every few seconds; answered by a
  // `pool_report` to the monitor.
  caf::reacts_to<node_sample>>;

// -- between queue and manager ------------------------------------------------

/// A pool manager can place so many more leases. Adds to what it said before:
/// each lease uses up one.
struct room {
  std::string queue;
  std::uint32_t slots = 0;
  std::uint32_t urgent = 0; ///< beside them, for what somebody waits for
};

/// A pool is to have fewer slots: takes back room that no lease has used up,
/// as much as there is. Replies with what was taken.
struct take_room {
  std::string queue;
  std::uint32_t slots = 0;
  std::uint32_t urgent = 0;
};

/// One write holds at most so many operations, so that none takes long.
inline constexpr std::size_t max_group = 512;

/// At most `max_group` operations on leases: checkpoints, commits, outcomes,
/// releases; and the room that there will be when they are applied.
struct settle_request {
  std::vector<store::operation> ops;
  room freed;
};

/// What became of one operation.
struct settle_verdict {
  store::errc error = store::errc::none;
  bool ended = false;      ///< the job is in a terminal state, or gone
  bool publishing = false; ///< committed, by whichever claim
};

/// One verdict per operation, same order.
struct settle_reply {
  std::vector<settle_verdict> verdicts;
};

/// A lease as its manager knows it.
struct held_job {
  store::held_lease lease;
  std::string type;
};

/// A manager's first words to a (new) queue: its room and what it holds.
struct announce {
  room free;
  std::vector<held_job> held;
  manager_actor manager;
};

/// Jobs leased to a pool manager, each with its fence.
struct lease_batch {
  std::vector<job_ref> jobs;
  /// These are publishing already: finish their publication, nothing else.
  bool roll_forward = false;
  /// Somebody waits for them, and they use up the room for such jobs.
  bool urgent = false;
};

/// A lease that is no longer good, or whose job is to end.
struct revoke_lease {
  std::string id;
  store::fence fence;
  /// `cancelled`: a user's wish, the attempt's outcome is still awaited.
  /// `interrupted`: the lease is lost, nothing more may come of it.
  /// `node_lost`: the attempt is silent; it is ended, and spends a loss.
  media::errc why = media::errc::cancelled;
  /// The job is to be paused: the attempt stops, its lease is given back.
  bool pause = false;
};

/// What the renewer has found out about a lease: it is not as it was.
struct lease_finding {
  store::held_lease lease;
  store::errc verdict = store::errc::none; ///< as `job_store::renew`
  bool stalled = false; ///< its attempt is silent; it is renewed no more
};

/// The renewer's news.
struct renewal_report {
  std::vector<lease_finding> findings;
  bool store_is_away = false;   ///< has just failed to answer
  bool store_came_back = false; ///< has just answered again
};

struct discard_files {
  std::vector<std::string> ids;
};

template <class Inspector>
auto inspect(Inspector& f, discard_files& x) {
  return f(caf::meta::type_name("discard_files"), x.ids);
}

// -- between monitor and manager ----------------------------------------------

/// The machine as the pools see it, and the pool's queue.
struct node_sample {
  double cpu = 0;           ///< busy share
  double memory = 1;        ///< free share
  double disk = 1;          ///< free share of the fullest disk
  std::uint64_t queued = 0; ///< jobs in the queue; 0, too, while nobody knows
  double oldest_age_s = 0;  ///< of them
};

/// How a pool is; also a manager's first words to a (new) monitor.
struct pool_report {
  pool_view pool;
  manager_actor manager;
};

/// Stop: no new submits or claims from here on.
struct drain_request {};

/// Nothing is left to wait for.
struct drained {};

/// This node is to take no new work.
struct retire_request {};

// -- between manager, stage and job -------------------------------------------

/// What a job actor has to say of its attempt, once.
struct attempt_report {
  std::string id;
  store::fence fence;
  bool done = false; ///< `finished` counts, else `failure`
  media::finished finished;
  media::failure_report failure;
  bool over = false; ///< its actor ends with this and waits for no `settled`
};

template <class Inspector>
auto inspect(Inspector& f, attempt_report& x) {
  return f(caf::meta::type_name("attempt_report"), x.id, x.fence, x.done,
           x.finished, x.failure, x.over);
}

/// An attempt's checkpoint, to be stored, and the jobs that it makes.
struct checkpoint_report {
  std::string id;
  store::fence fence;
  media::progress now;
  std::string checkpoint;
  std::vector<store::job_draft> children;
};

template <class Inspector>
auto inspect(Inspector& f, checkpoint_report& x) {
  return f(caf::meta::type_name("checkpoint_report"), x.id, x.fence, x.now,
           x.checkpoint, x.children);
}

/// What came of publishing a committed manifest.
struct publish_report {
  std::string id;
  store::fence fence;
  bool done = false; ///< files lie at their final paths, `result` names them
  std::string result;
  /// Not done, and not empty: a name was taken; these are to be reserved.
  std::vector<media::staged_file> renamed;
  media::failure_report failure; ///< not done and nothing renamed
};

template <class Inspector>
auto inspect(Inspector& f, publish_report& x) {
  return f(caf::meta::type_name("publish_report"), x.id, x.fence, x.done,
           x.result, x.renamed, x.failure);
}

/// Lines for the job's own log, each with its line feed.
struct log_report {
  std::string id;
  store::fence fence;
  std::string lines;
};

template <class Inspector>
auto inspect(Inspector& f, log_report& x) {
  return f(caf::meta::type_name("log_report"), x.id, x.fence, x.lines);
}

/// To a job actor: end the attempt.
struct stop_attempt {
  /// `cancelled` (by a user), `interrupted` (by us) or `timeout`.
  media::errc why = media::errc::cancelled;
};

template <class Inspector>
auto inspect(Inspector& f, stop_attempt& x) {
  return f(caf::meta::type_name("stop_attempt"), x.why);
}

/// To a job actor: the manifest is committed, publish it.
struct publish_order {
  std::string result;
  std::vector<media::staged_file> manifest;
};

template <class Inspector>
auto inspect(Inspector& f, publish_order& x) {
  return f(caf::meta::type_name("publish_order"), x.result, x.manifest);
}

/// To a job actor: its last report is stored, or refused. It ends its work if
/// there is any left, removes the files that nobody needs any more, and ends.
struct settled {
  bool accepted = true;
  bool ended = false; ///< the job will have no other attempt
  /// Committed: what this attempt staged is to be published by another.
  bool rolls_on = false;
};

template <class Inspector>
auto inspect(Inspector& f, settled& x) {
  return f(caf::meta::type_name("settled"), x.accepted, x.ended, x.rolls_on);
}

/// To a stage: spawn the actors of these leased jobs, which report to the
/// manager. `publish_only`: they only finish a publication.
struct place_order {
  std::vector<job_ref> jobs;
  bool publish_only = false;
  manager_actor manager;
};

template <class Inspector>
auto inspect(Inspector& f, place_order& x) {
  return f(caf::meta::type_name("place_order"), x.jobs, x.publish_only,
           x.manager);
}

struct spawned_job {
  std::string id;
  store::fence fence;
  job_actor actor;
};

template <class Inspector>
auto inspect(Inspector& f, spawned_job& x) {
  return f(caf::meta::type_name("spawned_job"), x.id, x.fence, x.actor);
}

struct spawned {
  std::vector<spawned_job> jobs;
};

template <class Inspector>
auto inspect(Inspector& f, spawned& x) {
  return f(caf::meta::type_name("spawned"), x.jobs);
}

} // namespace troupe::actors
