#pragma once

#include "actors/job_ref.hpp"
#include "actors/node_view.hpp"
#include "actors/store/job_store.hpp"
#include "actors/store/queue_info.hpp"
#include "config/result.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// What the edge sees of the actors: plain calls and callbacks, no CAF. So
/// `net/` compiles without CAF's headers and is tested against a fake.
namespace troupe::actors {

/// Why an ask was not answered as asked. Append only.
enum class errc : std::uint8_t {
  none = 0,
  deadline,                ///< no answer in time
  draining,                ///< the server stops and takes no new work
  overloaded,              ///< too much is under way; try again later
  unavailable,             ///< the actor asked died; it is being replaced
  idempotency_in_progress, ///< the first request of this key is under way
  bad_topic,               ///< no topic of this name can exist
  too_many_asks,           ///< `edge.max_in_flight` answers are owed already
  durability_unavailable,  ///< the store is away, and less was not wanted
};

[[nodiscard]] const std::error_category& actors_category() noexcept;
[[nodiscard]] std::error_code make_error_code(errc code) noexcept;

/// Refusals of queues that have enough: the value is the seconds after which to
/// ask again.
[[nodiscard]] const std::error_category& overload_category() noexcept;

/// Hears one answer, exactly once, on a thread of the actor system; returns at
/// once.
template <class T>
using reply_to = std::function<void(result<T>)>;

struct submit_reply {
  job_ref job;
  bool created = false;  ///< false: a job of that unique key was there
  bool replayed = false; ///< the answer was given before
};

enum class job_command_kind : std::uint8_t {
  cancel,
  retry,
  purge,
  pause,
  resume,
};

/// A job's own log.
struct log_reply {
  std::string text;   ///< lines `{time} {level} {message}\n`
  bool ended = false; ///< nothing will be added
};

/// A bounded extract of what a URL holds, as JSON (see `POST /v1/extract`).
struct extract_reply {
  std::string json;
};

/// Counts and figures of the event side, for `/metrics`.
struct hub_figures {
  std::uint64_t clients = 0;
  std::uint64_t topics = 0;
  std::uint64_t log_bytes = 0;
};

// -- events -------------------------------------------------------------------

/// What a frame is, for those who treat them apart.
enum class frame_kind : std::uint8_t { event, subscribed, unsubscribed, error };

/// One frame for a client, shared by all who get it and never changed.
struct frame {
  frame_kind kind = frame_kind::event;
  bool progress = false;  ///< may be replaced by a later one of its subject
  bool recovered = false; ///< of `subscribed`: what was missed follows
  std::string text;       ///< complete JSON object, no raw line breaks
  std::string type;       ///< of the event, such as `job.started`, or error
  std::string subject;    ///< id of what the event is about
  std::string topic;      ///< empty: an `error` of no topic
  std::string epoch;
  std::uint64_t offset = 0; ///< where the topic's log stands after it
  timestamp_ms time = 0;    ///< of the event; 0: none, or told again
};
using frame_ptr = std::shared_ptr<const frame>;

/// WebSocket close codes of ours (see "Events" in the API document).
enum class close_code : std::uint16_t {
  going_away = 1001,
  internal_error = 1011,
  slow_consumer = 4008,
};

/// Where a connection hears its frames; implemented by `net/`. Called on
/// threads of the actor system; returns at once.
class client_sink {
public:
  virtual ~client_sink() = default;
  /// Frames in the order they are to be sent.
  /// @return bytes of their texts that have left already; `client_port::sent`
  /// tells of the others
  virtual std::size_t deliver(std::vector<frame_ptr> frames) = 0;
  /// The connection is to be closed. Last call.
  virtual void close(close_code code, std::string reason) = 0;
};

/// One topic that a client asks for, and what it has already seen of it.
struct topic_request {
  std::string topic;
  std::string epoch;        ///< empty: from now on
  std::uint64_t offset = 0; ///< the last one seen
};

/// The edge's end of a client actor. Thread-safe. Destroying it ends the actor.
class client_port {
public:
  /// Bytes of sent frames that may gather before `sent` is called.
  static constexpr std::size_t credit_step = 16 * 1024;
  /// Topics that one client may hold.
  static constexpr std::size_t max_topics = 1024;

  virtual ~client_port() = default;
  /// Answered by a `subscribed` frame per topic (or `error`). A topic that is
  /// held already starts again from where the request says.
  /// @param id JSON, echoed in the answers; empty: none
  virtual void subscribe(std::string id, std::vector<topic_request> topics) = 0;
  /// Answered by an `unsubscribed` frame per topic.
  virtual void unsubscribe(std::string id, std::vector<std::string> topics) = 0;
  /// Topics asked for that wait for earlier ones: a client that has too many
  /// should not be listened to.
  [[nodiscard]] virtual std::size_t wished() const {
    return 0;
  }
  /// Says that `bytes` of the texts of delivered frames have left; gives
  /// credit back.
  virtual void sent(std::size_t bytes) = 0;
};

// -- the gateway --------------------------------------------------------------

/// Asks the actors. Thread-safe; no call blocks. Every callback is called,
/// with an error if the actor asked dies; the caller sets the deadline.
class gateway {
public:
  virtual ~gateway() = default;
  virtual void submit(store::submit_op op, reply_to<submit_reply> reply) = 0;
  virtual void command(job_command_kind kind, std::string id,
                       reply_to<store::job> reply) = 0;
  virtual void get(std::string id, reply_to<store::job> reply) = 0;
  virtual void list(store::list_query query,
                    reply_to<store::job_page> reply) = 0;
  virtual void depths(reply_to<std::vector<store::queue_depth>> reply) = 0;
  // A gateway that has no such thing answers that it is not to be had.
  virtual void queues(reply_to<std::vector<store::queue_info>> reply) {
    reply(fail(errc::unavailable));
  }
  virtual void log(std::string, reply_to<log_reply> reply) {
    reply(fail(errc::unavailable));
  }
  virtual void submit_batch(store::batch_draft, std::vector<store::job_draft>,
                            store::idempotency,
                            reply_to<store::batch_submitted> reply) {
    reply(fail(errc::unavailable));
  }
  virtual void batch(std::string, reply_to<store::batch> reply) {
    reply(fail(errc::unavailable));
  }
  /// One bounded step.
  virtual void bulk(store::bulk_request, reply_to<store::bulk_result> reply) {
    reply(fail(errc::unavailable));
  }
  /// A queue's settings, a limit, a schedule.
  virtual void change(store::operation, reply_to<store::applied> reply) {
    reply(fail(errc::unavailable));
  }
  virtual void schedules(reply_to<std::vector<store::schedule>> reply) {
    reply(fail(errc::unavailable));
  }
  virtual void schedule(std::string, reply_to<store::schedule> reply) {
    reply(fail(errc::unavailable));
  }
  virtual void limit(std::string, reply_to<store::key_limit> reply) {
    reply(fail(errc::unavailable));
  }
  virtual void dead_callbacks(std::string, std::uint32_t,
                              reply_to<std::vector<store::callback>> reply) {
    reply(fail(errc::unavailable));
  }
  /// Answered with `true`.
  virtual void retry_callback(std::string, reply_to<bool> reply) {
    reply(fail(errc::unavailable));
  }
  virtual void extract(std::string url, reply_to<extract_reply> reply) = 0;
  virtual void nodes(reply_to<nodes_reply> reply) {
    reply(fail(errc::unavailable));
  }
  virtual void figures(reply_to<hub_figures> reply) = 0;
  /// A client actor whose frames go to `sink`, which outlives `close`.
  virtual std::unique_ptr<client_port>
  open_client(std::shared_ptr<client_sink> sink) = 0;
};

} // namespace troupe::actors

template <>
struct std::is_error_code_enum<troupe::actors::errc> : std::true_type {};
