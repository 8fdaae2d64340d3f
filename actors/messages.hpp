#pragma once

#include "actors/events.hpp"
#include "actors/gateway.hpp"
#include "actors/store/job_store.hpp"
#include "media/attempt.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/atom.hpp>
#include <caf/error.hpp>
#include <caf/meta/type_name.hpp>
#include <caf/replies_to.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

/// The whole protocol between actors: every message, every typed interface.
/// Append only. Messages that may leave the process have an `inspect`; the
/// others are marked as staying in it at the end of the type ids.

// -- how domain types travel --------------------------------------------------

namespace troupe::media {

template <class Inspector>
auto inspect(Inspector& f, progress& x) {
  return f(caf::meta::type_name("progress"), x.fraction, x.stage, x.done,
           x.total, x.unit, x.rate, x.eta_s, x.message);
}

template <class Inspector>
auto inspect(Inspector& f, staged_file& x) {
  return f(caf::meta::type_name("staged_file"), x.staged, x.final_path, x.size,
           x.sha256, x.replace);
}

template <class Inspector>
auto inspect(Inspector& f, finished& x) {
  return f(caf::meta::type_name("finished"), x.result, x.files);
}

template <class Inspector>
auto inspect(Inspector& f, failure_report& x) {
  return f(caf::meta::type_name("failure_report"), x.code, x.message,
           x.retry_after_s);
}

std::string to_string(errc code);

} // namespace troupe::media

namespace troupe::store {

template <class Inspector>
auto inspect(Inspector& f, fence& x) {
  return f(caf::meta::type_name("fence"), x.epoch, x.nonce);
}

template <class Inspector>
auto inspect(Inspector& f, backoff& x) {
  return f(caf::meta::type_name("backoff"), x.initial_s, x.factor, x.max_s,
           x.jitter);
}

template <class Inspector>
auto inspect(Inspector& f, job_error& x) {
  return f(caf::meta::type_name("job_error"), x.code, x.message, x.retryable,
           x.attempt);
}

template <class Inspector>
auto inspect(Inspector& f, job& x) {
  return f(caf::meta::type_name("job"), x.id, x.type, x.queue, x.priority,
           x.params, x.tags, x.owner, x.batch, x.parent, x.run_at, x.delay_ms,
           x.timeout_s, x.max_attempts, x.backoff, x.unique_key,
           x.concurrency_key, x.callback_url, x.state, x.attempt, x.revision,
           x.progress, x.result, x.checkpoint, x.errors, x.node, x.created_at,
           x.started_at, x.finished_at, x.reached, x.fence, x.lease_until,
           x.losses, x.publishing, x.manifest);
}

std::string to_string(errc code);

} // namespace troupe::store

namespace troupe::actors {

std::string to_string(errc code);

// -- queue --------------------------------------------------------------------

struct submit_request {
  store::submit_op op;
};

struct job_command {
  job_command_kind kind = job_command_kind::cancel;
  std::string id;
};

struct get_request {
  std::string id;
};

struct list_request {
  store::list_query query;
};

struct depths_request {};

struct depths_reply {
  std::vector<store::queue_depth> depths;
};

/// Operations on leases: checkpoints, commits, outcomes, releases.
struct settle_request {
  std::vector<store::operation> ops;
};

/// One verdict per operation, same order.
struct settle_reply {
  std::vector<store::errc> verdicts;
};

/// How many more leases a pool manager can place now. Replaces what it said
/// before.
struct room {
  std::string queue;
  std::uint32_t slots = 0;
};

/// Jobs leased to a pool manager, each with its fence.
struct lease_batch {
  std::vector<store::job> jobs;
  /// These are publishing already: finish their publication, nothing else.
  bool roll_forward = false;
};

/// A lease that is no longer good, or whose job is to end.
struct revoke_lease {
  std::string id;
  store::fence fence;
  /// `cancelled`: a user's wish, the attempt's outcome is still awaited.
  /// `interrupted`: the lease is lost, nothing more may come of it.
  media::errc why = media::errc::cancelled;
};

/// Stop: no new submits or claims from here on.
struct drain_request {};

// -- events -------------------------------------------------------------------

template <class Inspector>
auto inspect(Inspector& f, job_event& x) {
  return f(caf::meta::type_name("job_event"), x.type, x.time, x.job);
}

template <class Inspector>
auto inspect(Inspector& f, event_batch& x) {
  return f(caf::meta::type_name("event_batch"), x.events);
}

template <class Inspector>
auto inspect(Inspector& f, progress_report& x) {
  return f(caf::meta::type_name("progress_report"), x.id, x.queue, x.epoch,
           x.now);
}

/// A client actor's wish for topics.
struct subscribe_request {
  std::vector<topic_request> topics;
};

/// One start per topic, same order; events follow from there without a gap.
struct subscribe_reply {
  std::vector<topic_start> starts;
};

struct unsubscribe_request {
  std::vector<std::string> topics;
};

struct figures_request {};

/// The hub's own timer: progress is due, or the log of an ended topic.
struct hub_tick {};

/// What the edge asks of its client actor: see `client_port`.
struct client_subscribe {
  std::uint64_t id = 0;
  std::vector<topic_request> topics;
};

struct client_unsubscribe {
  std::uint64_t id = 0;
  std::vector<std::string> topics;
};

struct client_sent {
  std::size_t bytes = 0;
};

// -- pools --------------------------------------------------------------------

/// What a job actor has to say of its attempt, once.
struct attempt_report {
  std::string id;
  store::fence fence;
  bool done = false; ///< `finished` counts, else `failure`
  media::finished finished;
  media::failure_report failure;
};

template <class Inspector>
auto inspect(Inspector& f, attempt_report& x) {
  return f(caf::meta::type_name("attempt_report"), x.id, x.fence, x.done,
           x.finished, x.failure);
}

/// An attempt's checkpoint, to be stored.
struct checkpoint_report {
  std::string id;
  store::fence fence;
  media::progress now;
  std::string checkpoint;
};

template <class Inspector>
auto inspect(Inspector& f, checkpoint_report& x) {
  return f(caf::meta::type_name("checkpoint_report"), x.id, x.fence, x.now,
           x.checkpoint);
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

/// To a job actor: end the attempt.
struct stop_attempt {
  media::errc why = media::errc::cancelled; ///< `cancelled` or `interrupted`
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

/// To a job actor: its last report is stored (or refused). Private files go
/// if refused; the actor ends.
struct settled {
  bool accepted = true;
};

template <class Inspector>
auto inspect(Inspector& f, settled& x) {
  return f(caf::meta::type_name("settled"), x.accepted);
}

struct extract_request {
  std::string url;
};

template <class Inspector>
auto inspect(Inspector& f, extract_request& x) {
  return f(caf::meta::type_name("extract_request"), x.url);
}

template <class Inspector>
auto inspect(Inspector& f, extract_reply& x) {
  return f(caf::meta::type_name("extract_reply"), x.json);
}

} // namespace troupe::actors

// -- type ids (append only) ---------------------------------------------------

CAF_BEGIN_TYPE_ID_BLOCK(troupe, caf::first_custom_type_id)

  CAF_ADD_TYPE_ID(troupe, (troupe::store::job))
  CAF_ADD_TYPE_ID(troupe, (troupe::actors::job_event))
  CAF_ADD_TYPE_ID(troupe, (troupe::actors::event_batch))
  CAF_ADD_TYPE_ID(troupe, (troupe::actors::progress_report))
  CAF_ADD_TYPE_ID(troupe, (troupe::actors::attempt_report))
  CAF_ADD_TYPE_ID(troupe, (troupe::actors::checkpoint_report))
  CAF_ADD_TYPE_ID(troupe, (troupe::actors::publish_report))
  CAF_ADD_TYPE_ID(troupe, (troupe::actors::stop_attempt))
  CAF_ADD_TYPE_ID(troupe, (troupe::actors::publish_order))
  CAF_ADD_TYPE_ID(troupe, (troupe::actors::settled))
  CAF_ADD_TYPE_ID(troupe, (troupe::actors::extract_request))
  CAF_ADD_TYPE_ID(troupe, (troupe::actors::extract_reply))

CAF_END_TYPE_ID_BLOCK(troupe)

// These stay in the process.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::submit_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::submit_reply)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::job_command)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::get_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::list_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::depths_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::depths_reply)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::settle_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::settle_reply)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::room)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::lease_batch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::revoke_lease)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::drain_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::store::job_page)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::subscribe_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::subscribe_reply)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::unsubscribe_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::topic_events)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::figures_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::hub_figures)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::hub_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::client_subscribe)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::client_unsubscribe)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::client_sent)

CAF_ERROR_CODE_ENUM(troupe::media::errc, "media")
CAF_ERROR_CODE_ENUM(troupe::store::errc, "store")
CAF_ERROR_CODE_ENUM(troupe::actors::errc, "actors")

namespace troupe::actors {

// -- interfaces ---------------------------------------------------------------

/// One attempt at one job, on the node that its stage runs on. Its reports go
/// to the pool manager that it was given.
using job_actor = caf::typed_actor<
  // Ends the work; an `attempt_report` follows unless one was sent.
  caf::reacts_to<stop_attempt>,
  // Publishes the committed manifest; answered by a `publish_report`.
  caf::reacts_to<publish_order>,
  // Ends the actor: its report is stored, or refused.
  caf::reacts_to<settled>>;

/// Places leases of one queue, monitors their job actors and settles each
/// lease exactly once.
using manager_actor = caf::typed_actor<
  // New leases, never more than the room last announced.
  caf::reacts_to<lease_batch>,
  // A lease to be ended: cancelled or lost.
  caf::reacts_to<revoke_lease>,
  // The stage has spawned the actor of this job and epoch.
  caf::reacts_to<std::string, std::uint64_t, job_actor>,
  caf::reacts_to<attempt_report>, caf::reacts_to<checkpoint_report>,
  caf::reacts_to<publish_report>,
  // Ends attempts with `interrupted` after the grace; answered when the last
  // lease is settled.
  caf::replies_to<drain_request>::with<caf::unit_t>>;

/// Hosts job actors on one node.
using stage_actor = caf::typed_actor<
  // Spawns the actor of one leased job, which reports to the manager.
  caf::reacts_to<store::job, manager_actor>,
  // Spawns an actor that only finishes a publication.
  caf::reacts_to<store::job, manager_actor, publish_order>>;

/// The only owner of the store: a detached actor that groups what waits into
/// one commit. Raises an event for each stored change.
using queue_actor = caf::typed_actor<
  // Replies once the job is as durable as the store makes it.
  caf::replies_to<submit_request>::with<submit_reply>,
  caf::replies_to<job_command>::with<store::job>,
  caf::replies_to<get_request>::with<store::job>,
  caf::replies_to<list_request>::with<store::job_page>,
  caf::replies_to<depths_request>::with<depths_reply>,
  // Leases follow as soon as there is work, at most as many as there is room.
  caf::reacts_to<room, manager_actor>,
  // Replies when all operations are applied.
  caf::replies_to<settle_request>::with<settle_reply>,
  // Submits and claims end; settling goes on.
  caf::replies_to<drain_request>::with<caf::unit_t>>;

/// Stands for one connection that listens to events: holds back what its
/// socket cannot take yet, and ends it when that grows too much.
using client_actor = caf::typed_actor<
  // New events of a topic that it has subscribed to.
  caf::reacts_to<topic_events>,
  // Subscribes; each topic is answered by a frame.
  caf::reacts_to<client_subscribe>, caf::reacts_to<client_unsubscribe>,
  // Gives credit back.
  caf::reacts_to<client_sent>>;

/// Numbers events per topic, keeps a log of each, and serves subscribers.
using hub_actor = caf::typed_actor<
  // Stored changes, in order.
  caf::reacts_to<event_batch>,
  // Progress of a running attempt; conflated.
  caf::reacts_to<progress_report>,
  // Replies where each topic stands; `topic_events` follow from there. A
  // client that dies is forgotten.
  caf::replies_to<subscribe_request, client_actor>::with<subscribe_reply>,
  caf::reacts_to<unsubscribe_request, client_actor>,
  caf::replies_to<figures_request>::with<hub_figures>,
  caf::reacts_to<hub_tick>>;

/// Looks at a URL without downloading it.
using extract_actor =
  caf::typed_actor<caf::replies_to<extract_request>::with<extract_reply>>;

} // namespace troupe::actors
