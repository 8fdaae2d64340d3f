#pragma once

#include "actors/event_log.hpp"
#include "actors/messages.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe::actors {

/// State of the HUB. Invariant: a client stands in `listeners_[t]`, and the
/// log counts it as a listener of `t`, exactly if `t` is in its set in
/// `clients_`; every client there is monitored. At most one timer of each kind
/// is under way. What the log has fresh is published before listeners change.
class hub_state {
public:
  using self_ptr = hub_actor::stateful_pointer<hub_state>;

  static inline const char* name = "troupe.hub";

  explicit hub_state(self_ptr self);

  void start(const config::event_settings& settings);
  void add(event_batch& batch);
  void report(progress_report& report);
  void tick(const hub_tick& tick);
  subscribe_reply subscribe(const subscribe_request& request,
                            const client_actor& client);
  void unsubscribe(const unsubscribe_request& request,
                   const client_actor& client);
  hub_figures figures() const;

private:
  using clock = event_log::clock;

  moment now() const;
  void publish();
  void publish_now();
  void arm();
  void arm(hub_timer timer, clock::time_point due);
  void forget(const caf::actor_addr& client);
  void remove(const std::string& topic, const caf::actor_addr& client);

  self_ptr self_;
  std::unique_ptr<event_log> log_;
  std::unordered_map<std::string, std::vector<caf::strong_actor_ptr>>
    listeners_;
  std::map<caf::actor_addr, std::set<std::string>> clients_;
  /// By `hub_timer`.
  std::array<bool, 3> armed_{};
  /// When those who were told last will have got it, about.
  clock::time_point busy_until_{};
  /// When the oldest of what is fresh came; nothing while nothing is.
  std::optional<clock::time_point> fresh_since_;
};

} // namespace troupe::actors
