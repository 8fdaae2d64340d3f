#pragma once

#include "actors/stream_reader.hpp"

namespace troupe::actors {

struct run_options {
  maker_parts parts;
  registry_actor registry;
  std::uint64_t number = 0; ///< by which the registry knows it
  media::line_ptr line;
  std::uint32_t first = 0;
  std::uint32_t goal = 0; ///< it pauses after this one
  std::chrono::milliseconds idle{20'000};
};

/// Whether the next segment is there already.
struct run_found {
  std::uint32_t number = 0;
  bool found = false;
};

} // namespace troupe::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::run_found)

namespace troupe::actors {

using run_impl =
  run_actor::extend<caf::reacts_to<run_found>, caf::reacts_to<maker_over>,
                    caf::reacts_to<maker_idle>>;

/// State of an encoder RUN. Its child goes on from segment to segment.
///
///     looking ─there─► ended
///        │  ▲
///        ▼  └──────made──── working      (beyond the goal: paused)
///     waits ──── run_go ──────┘
///
/// Invariants: `next_` is the first segment that it has not made; it holds a
/// place to encode exactly while it works; one that is paused for `idle` ends.
class run_state_machine {
public:
  using self_ptr = run_impl::stateful_pointer<run_state_machine>;

  static inline const char* name = "troupe.run";

  explicit run_state_machine(self_ptr self) : self_(self) {}

  void start(run_options options);
  void aim(run_goal goal);
  void found(run_found look);
  void go();
  void end(const maker_over& over);
  void idle(maker_idle timer);

private:
  enum class phase : std::uint8_t { looking, waits, working, paused, ended };

  void step();
  void tell(run_state::kind what);
  void finish();
  [[nodiscard]] segment_work work() const;

  self_ptr self_;
  run_options options_;
  std::unique_ptr<maker_child> child_;
  phase phase_ = phase::paused;
  std::uint32_t next_ = 0;
  std::uint32_t goal_ = 0;
  std::uint64_t timer_ = 0; ///< of the newest
};

/// Encodes one rendition from some segment on, for all who watch it.
run_impl::behavior_type run(run_state_machine::self_ptr self,
                            run_options options);

} // namespace troupe::actors
