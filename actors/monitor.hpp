#pragma once

#include "actors/alert_book.hpp"
#include "actors/error_window.hpp"
#include "actors/messages.hpp"
#include "actors/node_budget.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe::config {
class metrics;
}

namespace troupe::actors {

struct monitor_options {
  std::string node; ///< its id
  std::string name; ///< of the machine
  std::chrono::milliseconds every{2000};
  /// Looks at the machine; may block.
  std::function<media::host_figures()> read;
  config::alert_settings alerts;
  double min_disk = 0;                 ///< free share that jobs may not take
  std::shared_ptr<node_budget> budget; ///< optional
  std::function<bool()> store_up;      ///< none: nobody knows
  std::function<bool()> draining;      ///< none: never
  config::metrics* metrics = nullptr;  ///< optional
};

/// Its timer: look again.
struct monitor_tick {};

/// The queues, as the newest look was answered; none if it was not.
struct monitor_depths {
  std::uint64_t look = 0;
  std::optional<std::vector<store::queue_depth>> depths;
};

} // namespace troupe::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::monitor_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::monitor_depths)

namespace troupe::actors {

using monitor_impl = monitor_actor::extend<caf::reacts_to<monitor_tick>,
                                           caf::reacts_to<monitor_depths>>;

/// State of the MONITOR. A look begins with a tick: the machine is read and the
/// queue is asked. It ends with the queue's answer, or with the next tick at
/// the latest: alerts are judged, and all are told. Invariants: one tick is
/// under way; a look ends once; `pools_` holds the managers that live.
class monitor_state {
public:
  using self_ptr = monitor_impl::stateful_pointer<monitor_state>;

  static inline const char* name = "troupe.monitor";

  explicit monitor_state(self_ptr self) : self_(self) {}

  void start(monitor_options options);
  void hear(pool_report& report);
  void show(const nodes_request& request) const;
  void rewire(wiring& now_is);
  void tick();
  void end_look(monitor_depths& found);

private:
  struct pool {
    pool_view view;
    manager_actor manager;
    error_window errors;
  };

  void ask_queue();
  void conclude(const std::vector<store::queue_depth>& depths);
  void judge(const std::vector<store::queue_depth>& depths);
  [[nodiscard]] std::vector<alert_reading>
  readings(const std::vector<store::queue_depth>& depths) const;
  void tell_pools(const std::vector<store::queue_depth>& depths);
  void tell_hub();
  void set_metrics() const;
  [[nodiscard]] node_view view() const;
  [[nodiscard]] double least_disk() const;
  [[nodiscard]] subject_event event(job_event_type type) const;

  self_ptr self_;
  monitor_options options_;
  wiring who_;
  std::optional<alert_book> alerts_;
  std::map<std::string, pool> pools_;
  media::host_figures host_;
  timestamp_ms seen_at_ = 0;
  std::uint64_t look_ = 0;
  bool looking_ = false; ///< the queue has not answered this one
  bool joined_ = false;
};

/// Looks after this machine. Spawn it `caf::detached`.
monitor_impl::behavior_type monitor(monitor_state::self_ptr self,
                                    monitor_options options);

} // namespace troupe::actors
