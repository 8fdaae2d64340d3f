#pragma once

#include "actors/answer.hpp"
#include "actors/events.hpp"
#include "actors/gateway.hpp"
#include "actors/store/job_store.hpp"
#include "actors/store/queue_info.hpp"
#include "actors/travel.hpp"

#include <caf/meta/type_name.hpp>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

/// Events, and what clients ask of them. Append only.
namespace troupe::actors {

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
                 store::batch, std::vector<store::queue_info>, nodes_reply>>
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

} // namespace troupe::actors
