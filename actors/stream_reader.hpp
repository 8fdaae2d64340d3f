#pragma once

#include "actors/stream_maker.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <vector>

namespace troupe::actors {

struct reader_options {
  maker_parts parts;
  registry_actor registry;
  std::uint64_t number = 0; ///< by which the registry knows it
  std::chrono::milliseconds idle{20'000};
};

/// A child's task is over.
struct maker_over {
  std::shared_ptr<media::child_end> end;
};

/// Nobody has asked since the timer of this number was set.
struct maker_idle {
  std::uint64_t number = 0;
};

} // namespace troupe::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::maker_over)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::maker_idle)

namespace troupe::actors {

using reader_impl =
  reader_actor::extend<caf::reacts_to<maker_over>, caf::reacts_to<maker_idle>>;

/// State of a READER. Invariants: while tasks wait, the child is at work; one
/// that nobody asks for `idle` ends.
class reader_state {
public:
  using self_ptr = reader_impl::stateful_pointer<reader_state>;

  static inline const char* name = "troupe.reader";

  explicit reader_state(self_ptr self) : self_(self) {}

  void start(reader_options options);
  void add(maker_task task);
  void end(const maker_over& over);
  void idle(maker_idle timer);

private:
  void next();

  self_ptr self_;
  reader_options options_;
  std::unique_ptr<maker_child> child_;
  std::vector<maker_task> waiting_;
  std::uint64_t timer_ = 0; ///< of the newest
};

/// Reads one source for all who watch it.
reader_impl::behavior_type reader(reader_state::self_ptr self,
                                  reader_options options);

} // namespace troupe::actors
