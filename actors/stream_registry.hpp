#pragma once

#include "actors/stream_messages.hpp"
#include "actors/stream_run.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <array>
#include <map>
#include <unordered_map>
#include <vector>

namespace troupe::actors {

struct registry_options {
  maker_parts parts;
  std::uint32_t encoders = 2;      ///< at work at once
  std::uint32_t most_waiting = 64; ///< segments that wait for an encoder
  double ahead_s = 24;
  std::chrono::milliseconds idle{20'000}; ///< of readers and runs
};

/// State of the REGISTRY. Invariants:
/// - each piece of work is in `flights_` from the first who wants it until all
///   who do have heard, and belongs to one maker of `makers_`;
/// - as many makers are `working` runs as places are taken, at most
///   `encoders`; while one waits, none is free.
class registry_state {
public:
  using self_ptr = registry_actor::stateful_pointer<registry_state>;
  using clock = std::chrono::steady_clock;

  static inline const char* name = "troupe.registry";

  explicit registry_state(self_ptr self) : self_(self) {}
  ~registry_state();

  void start(registry_options options);
  void want(segment_want& want);
  void watch(const line_watch& watch);
  void hear(const run_state& state);
  void take(const maker_report& report);

private:
  struct flight {
    segment_work work;
    std::vector<answer<made_segment>> waiting;
    clock::time_point deadline;
    int priority = 0;
    std::uint64_t maker = 0;
    std::uint32_t makers = 0; ///< that were at it
  };
  struct maker {
    caf::actor_addr addr;
    reader_actor reader; ///< either is set
    run_actor run;
    media::cache_key subject; ///< source, its scan, or line
    media::line_ptr line;
    run_state::kind state = run_state::kind::waits;
    std::uint32_t next = 0;
    int priority = 0;
  };
  using makers = std::map<std::uint64_t, maker>;

  [[nodiscard]] bool refuse(const segment_want& want);
  [[nodiscard]] bool rests(const segment_work& work) const;
  void dispatch(flight& it);
  void read(flight& it);
  void encode(flight& it);
  [[nodiscard]] makers::iterator find_reader(const media::cache_key& subject);
  [[nodiscard]] makers::iterator find_run(const segment_work& work);
  [[nodiscard]] makers::iterator add_reader(const media::cache_key& subject);
  [[nodiscard]] makers::iterator add_run(const segment_work& work);
  [[nodiscard]] std::uint32_t goal_of(const media::stream_line& line,
                                      std::uint32_t from) const;
  void lose(std::uint64_t number);
  void let_rest(const media::cache_key& subject);
  void conclude(const media::cache_key& key,
                const result<made_segment>& outcome);
  void grant();
  [[nodiscard]] makers::iterator most_urgent();
  void show() const;

  self_ptr self_;
  registry_options options_;
  std::unordered_map<media::cache_key, flight> flights_;
  makers makers_;
  /// Readers' sources and runs' lines that somebody keeps killing, and until
  /// when nobody is born for them.
  std::unordered_map<media::cache_key, clock::time_point> resting_;
  std::uint64_t number_ = 0; ///< of the newest maker
};

/// Knows who makes what.
registry_actor::behavior_type registry(registry_state::self_ptr self,
                                       registry_options options);

} // namespace troupe::actors
