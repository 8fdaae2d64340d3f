#pragma once

#include "actors/client_queue.hpp"
#include "actors/messages.hpp"
#include "actors/queue_door.hpp"
#include "config/settings.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::actors {

/// Its timer: the queue may have room again.
struct client_ask_again {};

} // namespace troupe::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::client_ask_again)

namespace troupe::actors {

using client_impl = client_actor::extend<caf::reacts_to<client_ask_again>>;

/// What a client actor stands on.
struct client_parts {
  hub_actor hub;
  std::shared_ptr<const queue_door> door;
  std::shared_ptr<client_sink> sink;
  config::event_settings settings;
  /// Topics that were asked for and wait for an earlier wish.
  std::shared_ptr<std::atomic<std::size_t>> wished;
};

/// State of a CLIENT. A subscription goes through three stages: the hub is
/// asked where the topic stands; then the queue is asked for a snapshot, which
/// is so at least as new, while events are held back; then it is live.
///
/// Wishes are met one after the other, as soon as all snapshots of the earlier
/// ones are asked for.
///
/// Invariants: at most `window_` bytes and one frame are with the sink;
/// everything else waits in `waiting_` or in a subscription's `held`, and all
/// of it together, but snapshots, stays below `client_bytes`, or the client
/// ends. A snapshot is asked for only while less than `window_` is on its way.
class client_state {
public:
  using self_ptr = client_impl::stateful_pointer<client_state>;

  static inline const char* name = "troupe.client";

  explicit client_state(self_ptr self);

  void start(client_parts parts);
  void subscribe(client_subscribe& wish);
  void unsubscribe(client_unsubscribe& wish);
  void on_events(const topic_events& events);
  void on_snapshot(client_snapshot& snapshot);
  void on_sent(const client_sent& sent);
  void ask_again();

private:
  struct subscription {
    std::string id;           ///< JSON, echoed
    std::uint64_t serial = 0; ///< tells it from earlier ones of its topic
    bool started = false;     ///< the hub has answered
    bool live = false;        ///< its `subscribed` frame is on the way
    topic_start start;
    std::size_t parts_due = 0; ///< of its snapshot
    std::optional<store::job> job;
    std::string text; ///< of a queue or batch
    std::vector<store::queue_depth> depths;
    store::job_page running;
    client_queue held;
  };

  void next_wish();
  void begin(client_subscribe& wish);
  void begin(client_unsubscribe& wish);
  /// @return why it cannot be had, or empty
  std::string_view refusal(const std::string& topic) const;
  void on_starts(subscribe_reply& reply,
                 const std::vector<std::uint64_t>& serials);
  void ask_snapshot(subscription& of);
  template <class Handle, class Request>
  void ask(const Handle& whom, subscription& of, Request request);
  template <class Request>
  void ask_queue(subscription& of, Request request);
  [[nodiscard]] bool takes_snapshots();
  void ask_snapshots();
  void wait_to_ask();
  void take_snapshot(client_snapshot& snapshot);
  void take(subscription& of, client_snapshot& snapshot);
  void refuse(const std::string& topic, const failure& why);
  void go_live(subscription& of);
  void hold(subscription& of, const frame_ptr& frame);
  void leave(std::vector<std::string> topics);
  void push(frame_ptr frame);
  void pump();
  void end(close_code code, const std::string& why);

  self_ptr self_;
  client_parts parts_;
  std::map<std::string, subscription> topics_;
  std::uint64_t serial_ = 0;
  std::deque<std::variant<client_subscribe, client_unsubscribe>> wishes_;
  bool starting_ = false; ///< the hub is asked where topics stand
  /// Topics whose snapshots are to be asked for, by serial.
  std::deque<std::pair<std::string, std::uint64_t>> to_ask_;
  std::size_t asking_ = 0; ///< answers that the queue owes
  bool waits_to_ask_ = false;
  bool ended_ = false; ///< nothing more goes to the sink
  client_queue waiting_;
  std::size_t window_ = 0;
  std::size_t in_flight_ = 0;
  std::size_t held_ = 0;
};

} // namespace troupe::actors
