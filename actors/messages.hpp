#pragma once

#include "actors/answer.hpp"
#include "actors/events.hpp"
#include "actors/gateway.hpp"
#include "actors/store/job_store.hpp"
#include "actors/store/queue_info.hpp"
#include "actors/travel.hpp"
#include "media/attempt.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/atom.hpp>
#include <caf/error.hpp>
#include <caf/meta/type_name.hpp>
#include <caf/replies_to.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// The whole protocol between actors: every message, every typed interface.
/// Append only. Messages that may leave the process have an `inspect`; the
/// others are marked as staying in it at the end of the type ids.

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
struct callbacks_due;

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
  caf::replies_to<drain_request>::with<drained>>;

// -- queue --------------------------------------------------------------------

struct submit_request {
  store::submit_op op;
  answer<submit_reply> reply;
};

struct job_command {
  job_command_kind kind = job_command_kind::cancel;
  std::string id;
  answer<store::job> reply;
};

struct get_request {
  std::string id;
  answer<store::job> reply;
};

struct list_request {
  store::list_query query;
  answer<store::job_page> reply;
};

struct depths_request {
  answer<std::vector<store::queue_depth>> reply;
};

struct queues_request {
  answer<std::vector<store::queue_info>> reply;
};

/// A question that only the store can answer, and that changes no job.
struct store_call {
  /// Called once, with null while the store is away; gives its own answer.
  /// @return why the store did not answer, if so
  std::function<std::optional<failure>(store::job_store*)> run;
};

/// Changes a queue, a limit or a schedule: any operation that needs no lease.
struct change_call {
  store::operation op;
  answer<store::applied> reply;
};

struct batch_call {
  store::batch_draft draft;
  std::vector<store::job_draft> jobs;
  struct store::idempotency key;
  answer<store::batch_submitted> reply;
};

struct batch_request {
  std::string id;
  answer<store::batch> reply;
};

struct bulk_call {
  store::bulk_request request;
  answer<store::bulk_result> reply;
};

struct log_call {
  std::string id;
  answer<log_reply> reply;
};

/// A pool manager can place so many more leases. Adds to what it said before:
/// each lease uses up one.
struct room {
  std::string queue;
  std::uint32_t slots = 0;
};

/// Operations on leases: checkpoints, commits, outcomes, releases; and the
/// room that there will be when they are applied.
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

/// A manager's first words to a (new) queue: its room and what it holds.
struct announce {
  room free;
  std::vector<store::held_lease> held;
  manager_actor manager;
};

/// Jobs leased to a pool manager, each with its fence.
struct lease_batch {
  std::vector<job_ref> jobs;
  /// These are publishing already: finish their publication, nothing else.
  bool roll_forward = false;
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

/// Stop: no new submits or claims from here on.
struct drain_request {};

/// Nothing is left to wait for.
struct drained {};

// -- callbacks ----------------------------------------------------------------

/// There may be callbacks to deliver.
struct callbacks_due {};

/// Asks for callbacks that are due.
struct take_callbacks {
  std::uint32_t max = 1;
};

struct callback_batch {
  std::vector<store::callback> due;
};

/// Delivers what is to be told to callback URLs.
using callback_actor = caf::typed_actor<caf::reacts_to<callbacks_due>,
                                        // Who is who from now on.
                                        caf::reacts_to<wiring>>;

// -- events -------------------------------------------------------------------

/// Travels as the job itself.
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, job_ref& x) {
  if constexpr (Inspector::reads_state) {
    return f(const_cast<store::job&>(*x));
  } else {
    store::job it;
    auto outcome = f(it);
    x = std::move(it);
    return outcome;
  }
}

template <class Inspector>
auto inspect(Inspector& f, job_event& x) {
  return f(caf::meta::type_name("job_event"), x.type, x.time, x.job);
}

template <class Inspector>
auto inspect(Inspector& f, subject_event& x) {
  return f(caf::meta::type_name("subject_event"), x.type, x.time, x.topic, x.id,
           x.data);
}

template <class Inspector>
auto inspect(Inspector& f, event_batch& x) {
  return f(caf::meta::type_name("event_batch"), x.events, x.subjects);
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

struct figures_request {
  answer<hub_figures> reply;
};

/// The hub's own timers: progress is due, a topic is to be forgotten, what
/// was held back for its many listeners may go.
enum class hub_timer : std::uint8_t { progress, end, publish };

struct hub_tick {
  hub_timer timer = hub_timer::progress;
};

/// A part of the snapshot that a client actor asked for, from the queue.
struct client_snapshot {
  std::string topic;
  std::uint64_t serial = 0; ///< of the subscription
  result<
    std::variant<store::job, std::vector<store::queue_depth>, store::job_page,
                 store::batch, std::vector<store::queue_info>>>
    part;
};

/// What the edge asks of its client actor: see `client_port`.
struct client_subscribe {
  std::string id; ///< JSON, echoed
  std::vector<topic_request> topics;
};

struct client_unsubscribe {
  std::string id; ///< JSON, echoed
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
  bool over = false; ///< its actor ends with this and waits for no `settled`
};

template <class Inspector>
auto inspect(Inspector& f, attempt_report& x) {
  return f(caf::meta::type_name("attempt_report"), x.id, x.fence, x.done,
           x.finished, x.failure, x.over);
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

// -- extract ------------------------------------------------------------------

struct extract_request {
  std::string url;
  answer<extract_reply> reply;
};

// -- the other interfaces -----------------------------------------------------

/// Hosts job actors on one node, and ends those that run out of time.
using stage_actor = caf::typed_actor<
  // Answered by `spawned`, to the manager.
  caf::reacts_to<place_order>,
  // Removes what these jobs left below the library.
  caf::reacts_to<discard_files>>;

/// The only owner of the store: a detached actor that groups what waits into
/// one commit. Raises an event for each stored change, before it tells anyone
/// else. What comes from the edge carries its own way back.
using queue_actor = caf::typed_actor<
  // Answered once the job is as durable as the store makes it.
  caf::reacts_to<submit_request>, caf::reacts_to<job_command>,
  caf::reacts_to<get_request>, caf::reacts_to<list_request>,
  caf::reacts_to<depths_request>, caf::reacts_to<queues_request>,
  caf::reacts_to<store_call>, caf::reacts_to<change_call>,
  caf::reacts_to<batch_call>, caf::reacts_to<bulk_call>,
  caf::reacts_to<batch_request>, caf::reacts_to<log_call>,
  // Callbacks that are due, hidden from others for a while; what came of one.
  caf::replies_to<take_callbacks>::with<callback_batch>,
  caf::reacts_to<store::callback_settlement>,
  // Leases follow as soon as there is work, at most as many as there is room.
  caf::reacts_to<announce>, caf::reacts_to<room>,
  // Replies when all operations are applied, however long the store is away.
  caf::replies_to<settle_request>::with<settle_reply>,
  // Newest progress of an attempt whose lease is good.
  caf::reacts_to<progress_report>,
  // What has become of leases, and of the store.
  caf::reacts_to<renewal_report>,
  // Who is who from now on.
  caf::reacts_to<wiring>,
  // Submits and claims end; settling goes on.
  caf::replies_to<drain_request>::with<drained>>;

/// Renews leases over a store connection and a thread of its own, whatever the
/// queue is busy with; only those whose attempts give signs of life.
using renewer_actor = caf::typed_actor<
  // Who is who from now on.
  caf::reacts_to<wiring>>;

/// Stands for one connection that listens to events: holds back what its
/// socket cannot take yet, and ends it when that grows too much.
using client_actor = caf::typed_actor<
  // New events of a topic that it has subscribed to.
  caf::reacts_to<topic_events>,
  // Subscribes; each topic is answered by a frame.
  caf::reacts_to<client_subscribe>, caf::reacts_to<client_unsubscribe>,
  caf::reacts_to<client_snapshot>,
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
  caf::reacts_to<figures_request>, caf::reacts_to<hub_tick>>;

/// Looks at a URL without downloading it.
using extract_actor = caf::typed_actor<caf::reacts_to<extract_request>>;

/// Owns and monitors all the others; replaces what dies.
using root_actor = caf::typed_actor<
  // Stops everything in order and ends, once.
  caf::reacts_to<drain_request>>;

// -- supervision --------------------------------------------------------------

/// Who is who, from the root to those who send. Null: being replaced.
struct wiring {
  queue_actor queue;
  stage_actor stage;
  hub_actor hub;
  callback_actor callbacks = {};
};

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
  CAF_ADD_TYPE_ID(troupe, (troupe::actors::discard_files))
  CAF_ADD_TYPE_ID(troupe, (troupe::actors::place_order))
  CAF_ADD_TYPE_ID(troupe, (troupe::actors::spawned))
  CAF_ADD_TYPE_ID(troupe, (troupe::actors::log_report))

CAF_END_TYPE_ID_BLOCK(troupe)

// These stay in the process.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::submit_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::job_command)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::get_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::list_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::depths_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::queues_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::store_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::change_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::batch_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::batch_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::bulk_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::log_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::callbacks_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::take_callbacks)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::callback_batch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::store::callback_settlement)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::room)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::settle_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::settle_reply)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::announce)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::lease_batch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::revoke_lease)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::renewal_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::drain_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::drained)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::extract_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::wiring)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::subscribe_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::subscribe_reply)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::unsubscribe_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::topic_events)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::figures_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::hub_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::client_subscribe)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::client_unsubscribe)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::client_sent)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::client_snapshot)
