#pragma once

#include "actors/crew_queue.hpp"
#include "actors/image_messages.hpp"
#include "media/child/children.hpp"
#include "media/image/task.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <array>
#include <memory>
#include <unordered_map>
#include <vector>

namespace troupe::config {
class metrics;
}

namespace troupe::media {
class image_service;
}

namespace troupe::actors {

struct crew_options {
  /// Of each side: pages, batch.
  std::array<std::uint32_t, 2> children{2, 2};
  std::uint32_t most_waiting = 256; ///< tasks of each side
  /// A child that has served so many tasks is replaced.
  std::uint32_t most_served = 1000;
  media::image_service* images = nullptr; ///< outlives it
  config::metrics* metrics = nullptr;
};

/// A child's task is over.
struct crew_over {
  std::uint64_t seat = 0;
  std::shared_ptr<media::child_end> end;
};

/// The crew looks at its clocks.
struct crew_tick {};

} // namespace troupe::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::crew_over)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::crew_tick)

namespace troupe::actors {

using crew_impl =
  crew_actor::extend<caf::reacts_to<crew_over>, caf::reacts_to<crew_tick>>;

/// State of the image CREW. Invariants:
/// - every image asked for is in `flights_`, once, until all who asked for it
///   have heard, and in exactly one task, that waits or that a seat works on;
/// - a side has as many seats that are not `spare` as it may have children;
/// - while a task waits or runs, one tick is under way.
class crew_state {
public:
  using self_ptr = crew_impl::stateful_pointer<crew_state>;
  using clock = std::chrono::steady_clock;

  static inline const char* name = "troupe.crew";

  explicit crew_state(self_ptr self) : self_(self) {}

  void start(crew_options options);
  void make(image_request& request);
  void tell(crew_request& request);
  void end(crew_over& over);
  void tick();

private:
  struct waiter {
    answer<image_reply> reply;
    media::work_ptr work; ///< as it was asked for
    bool coalesced = false;
  };
  struct flight {
    std::vector<waiter> waiting;
    std::uint64_t task = 0;
  };
  struct lasting_child {
    std::unique_ptr<media::codec_child> process; ///< null: none yet
    std::uint32_t served = 0;
  };
  /// A place for a child: one that sees no font, and one that does, of which
  /// one works.
  struct seat {
    std::array<lasting_child, 2> children;
    bool batch = false;
    bool spare = false; ///< its place was given to another: goes after its task
    std::optional<crew_task> task;
    clock::time_point began;
  };

  [[nodiscard]] clock::time_point now() const {
    return self_->clock().now();
  }
  [[nodiscard]] double wait_ms(bool batch) const;
  [[nodiscard]] bool refuse(image_request& request);
  void join(flight& there, image_request& request);
  void assign();
  void give(std::uint64_t number, seat& to, crew_task task);
  void add_seat(bool batch);
  void settle(crew_task& task, media::child_end& end, clock::time_point began);
  void settle_made(const crew_task& task, media::image_result& made,
                   clock::time_point began);
  [[nodiscard]] bool try_again(crew_task& task, media::errc code);
  void fail_all(const crew_task& task, const failure& why, bool deny);
  void conclude(const media::image_work& work,
                const result<image_reply>& outcome);
  void measure(const crew_task& task, const media::image_result& made,
               clock::time_point began);
  void show() const;
  void replace_slow(clock::time_point now);
  void wake();

  self_ptr self_;
  crew_options options_;
  crew_queue queue_;
  std::unordered_map<media::cache_key, flight> flights_;
  std::unordered_map<std::uint64_t, seat> seats_;
  std::uint64_t number_ = 0; ///< of the newest seat
  /// Times that tasks take, to what they usually take.
  std::array<double, 2> pace_{1, 1};
  bool ticking_ = false;
  crew_figures figures_;
};

/// Makes images.
crew_impl::behavior_type crew(crew_state::self_ptr self, crew_options options);

} // namespace troupe::actors
