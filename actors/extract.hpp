#pragma once

#include "actors/messages.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <unordered_map>

namespace troupe::actors {

struct extract_options {
  /// Looks at a URL; `done` is called once, on any thread.
  std::function<void(std::string url,
                     std::function<void(result<std::string>)> done)>
    look;
  std::chrono::milliseconds limit{90000}; ///< for one, its waiting included
  std::size_t max_waiting = 64;
};

/// What the extract actor hears: a look is over, or its time is.
struct extract_over {
  std::uint64_t number = 0;
  result<std::string> outcome;
};

} // namespace troupe::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::extract_over)

namespace troupe::actors {

using extract_impl = extract_actor::extend<caf::reacts_to<extract_over>>;

/// State of the EXTRACT actor. Invariant: each request is in `waiting_` until
/// it is answered, for no longer than the limit.
class extract_state {
public:
  using self_ptr = extract_impl::stateful_pointer<extract_state>;

  static inline const char* name = "troupe.extract";

  explicit extract_state(self_ptr self) : self_(self) {}

  void start(extract_options options);
  void look(extract_request& request);
  void end(extract_over& over);

private:
  self_ptr self_;
  extract_options options_;
  std::uint64_t number_ = 0;
  std::unordered_map<std::uint64_t, answer<extract_reply>> waiting_;
};

/// Looks at URLs for the edge.
extract_impl::behavior_type extract(extract_state::self_ptr self,
                                    extract_options options);

} // namespace troupe::actors
