#pragma once

#include "actors/image_messages.hpp"
#include "actors/messages.hpp"
#include "actors/stream_messages.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace troupe::actors {

/// Whom the edge asks. Null: being replaced.
struct edge_contacts {
  queue_actor queue;
  hub_actor hub;
  extract_actor extract;
  monitor_actor monitor = {};
  crew_actor crew = {};
  stream_actor streams = {};
};

struct root_options {
  /// Each spawns one; called again for each replacement.
  std::function<queue_actor(bool first)> make_queue;
  std::function<hub_actor()> make_hub;
  std::function<stage_actor()> make_stage;
  std::function<extract_actor()> make_extract;
  std::function<callback_actor()> make_callbacks;
  std::function<crew_actor()> make_crew;       ///< none: no images
  std::function<stream_actor()> make_streams;  ///< none: no streams
  std::function<renewer_actor()> make_renewer; ///< none: nobody renews
  std::function<monitor_actor()> make_monitor; ///< none: nobody looks
  std::vector<std::function<manager_actor()>> make_managers;
  /// Hears of each change; `contacts` are all null at the end.
  std::function<void(edge_contacts contacts)> on_change;
  /// The last call: everything has ended, 0 in order, 1 given up.
  std::function<void(int status)> on_end;
  /// One of them may die so often in `window`; once more ends the process.
  std::size_t max_deaths = 5;
  std::chrono::seconds window{60};
};

/// The root's timer: this child's backoff is over.
struct restart_child {
  std::size_t index = 0;
};

} // namespace troupe::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::restart_child)

namespace troupe::actors {

using root_impl = root_actor::extend<caf::reacts_to<restart_child>>;

/// State of the ROOT. Invariants:
/// - each child is alive and monitored, or its restart is under way, until the
///   root `ends`; then none is started any more;
/// - everybody who sends to a child knows its newest handle, by `wiring`.
class root_state {
public:
  using self_ptr = root_impl::stateful_pointer<root_state>;

  static inline const char* name = "troupe.root";

  explicit root_state(self_ptr self) : self_(self) {}
  ~root_state();

  void start(root_options options);
  void drain();
  void retire();
  void restart(restart_child which);

private:
  enum class phase : std::uint8_t { running, draining, ending };

  struct child {
    std::string name;
    std::function<caf::actor_addr()> make; ///< spawns it and keeps its handle
    std::function<void()> forget;          ///< drops its handle
    caf::actor_addr addr;                  ///< null when down
    std::deque<std::chrono::steady_clock::time_point> deaths;
  };

  template <class Handle>
  void add_child(std::string child_name, Handle& slot,
                 std::function<Handle()> make);
  void launch(child& which);
  void spread();
  void on_down(const caf::down_msg& down);
  void mourn(std::size_t index, const caf::error& why);
  void end_work();
  void drain_managers();
  void manager_drained();
  void end(int status);
  void end_if_alone();
  template <class Handle>
  void dismiss(const Handle& whom);

  self_ptr self_;
  root_options options_;
  phase phase_ = phase::running;
  bool retired_ = false; ///< what is started anew is told so
  int status_ = 0;
  std::vector<child> children_;
  wiring who_;
  extract_actor extract_;
  crew_actor crew_;
  stream_actor streams_;
  renewer_actor renewer_;
  std::vector<manager_actor> managers_;
  std::size_t undrained_ = 0;
  bool ended_ = false; ///< in order: the last call has been made
};

/// Owns all other actors.
root_impl::behavior_type root(root_state::self_ptr self, root_options options);

} // namespace troupe::actors
