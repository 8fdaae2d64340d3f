#pragma once

#include "actors/messages.hpp"
#include "media/callback/sender.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <unordered_map>

namespace troupe::actors {

struct callback_options {
  /// Posts; `heard` is called once, on any thread, or never.
  std::function<void(media::callback_post what, media::callback_heard heard)>
    post;
  std::uint32_t max_attempts = 12;
  /// Nobody hears of a post for longer than this.
  std::chrono::milliseconds limit{15000};
};

/// What the actor hears of one post.
struct callback_answered {
  std::string id;
  std::uint64_t token = 0;
  media::callback_answer said;
};

/// Its timer: ask for what is due. One that is not the newest is stale.
struct callback_tick {
  std::uint64_t number = 0;
};

} // namespace troupe::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::callback_answered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::callback_tick)

namespace troupe::actors {

using callback_impl = callback_actor::extend<caf::reacts_to<callback_answered>,
                                             caf::reacts_to<callback_tick>>;

/// Lets posts find the actor while it lives.
/// Invariant: after `close` nothing is sent.
class callback_relay {
public:
  explicit callback_relay(callback_impl actor) : actor_(std::move(actor)) {}
  void answer(callback_answered said);
  void close();

private:
  std::mutex mutex_;
  callback_impl actor_;
};

/// State of the CALLBACK ACTOR. Invariants:
/// - `under_way_` are the callbacks that were posted and not heard of, by id;
/// - at most one request for more is under way;
/// - what it does not settle (it died, the store was away) is due again when
///   its token has run out: delivered at least once, under the same event id.
class callback_state {
public:
  using self_ptr = callback_impl::stateful_pointer<callback_state>;

  static inline const char* name = "troupe.callbacks";

  explicit callback_state(self_ptr self) : self_(self) {}
  ~callback_state();

  void start(callback_options options);
  void rewire(wiring& now_is);
  void wake();
  void tick(callback_tick now);
  void hear(callback_answered& said);

private:
  using clock = std::chrono::steady_clock;

  struct posted {
    std::uint64_t token = 0;
    std::uint32_t attempts = 0; ///< that failed before
    clock::time_point since;
  };

  void ask();
  void take(std::vector<store::callback> due);
  void forget_silent();
  void arm(clock::duration after);
  store::callback_settlement judge(const posted& it,
                                   const callback_answered& said);

  self_ptr self_;
  callback_options options_;
  queue_actor queue_;
  std::shared_ptr<callback_relay> relay_;
  std::unordered_map<std::string, posted> under_way_;
  bool asking_ = false;
  bool more_ = false; ///< something may have become due meanwhile
  std::uint64_t newest_tick_ = 0;
  clock::time_point due_;
  std::mt19937_64 random_{std::random_device{}()};
};

callback_impl::behavior_type callbacks(callback_state::self_ptr self,
                                       callback_options options);

} // namespace troupe::actors
