#pragma once

#include "actors/event_messages.hpp"
#include "actors/lease_messages.hpp"
#include "actors/queue_messages.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/atom.hpp>
#include <caf/error.hpp>
#include <caf/replies_to.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

/// The whole protocol between actors: every message, in the three headers
/// above, and every typed interface. Append only. Messages that may leave the
/// process have an `inspect`; the others are marked as staying in it at the end
/// of the type ids.
namespace troupe::actors {

// -- interfaces ---------------------------------------------------------------

/// Delivers what is to be told to callback URLs.
using callback_actor = caf::typed_actor<caf::reacts_to<callbacks_due>,
                                        // Who is who from now on.
                                        caf::reacts_to<wiring>>;

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
  caf::replies_to<drain_request>::with<drained>,
  // Room that a manager wants back.
  caf::replies_to<take_room>::with<room>>;

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

/// Looks at this machine and its pools every few seconds, raises alerts, and
/// tells managers, clients and metrics. Detached: looking may block.
using monitor_actor = caf::typed_actor<
  // How a pool is.
  caf::reacts_to<pool_report>,
  // What it knows, as of its last look.
  caf::reacts_to<nodes_request>,
  // Who is who from now on.
  caf::reacts_to<wiring>>;

/// Looks at a URL without downloading it.
using extract_actor = caf::typed_actor<caf::reacts_to<extract_request>>;

/// Owns and monitors all the others; replaces what dies.
using root_actor = caf::typed_actor<
  // Stops everything in order and ends, once.
  caf::reacts_to<drain_request>,
  // Lets this node's jobs end as a drain does, for good; all else goes on.
  caf::reacts_to<retire_request>>;

// -- supervision --------------------------------------------------------------

/// Who is who, from the root to those who send. Null: being replaced.
struct wiring {
  queue_actor queue;
  stage_actor stage;
  hub_actor hub;
  callback_actor callbacks = {};
  monitor_actor monitor = {};
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
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::take_room)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::node_sample)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::pool_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::nodes_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::settle_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::settle_reply)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::announce)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::lease_batch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::revoke_lease)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::renewal_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::drain_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::drained)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::retire_request)
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
