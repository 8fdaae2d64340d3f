#pragma once

#include "actors/node_view.hpp"
#include "config/settings.hpp"
#include "config/threshold.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe::actors {

/// A figure that an alert may be raised for.
struct alert_reading {
  alert_kind kind = alert_kind::disk_low;
  std::string subject;
  double value = 0;
};

struct alert_change {
  bool raised = false; ///< else cleared
  alert about;
};

/// Judges figures by the rules of the configuration. A figure between its two
/// thresholds changes nothing, and one that stands at a threshold for less than
/// `for_s` neither. Invariant: what is raised stands in `states_` with `told`;
/// a subject that is no longer read is cleared in the same way.
class alert_book {
public:
  using clock = std::chrono::steady_clock;

  alert_book(const config::alert_settings& rules, std::string node);

  /// @param readings all there are; what is missing counts as well
  /// @return what changed, in no order
  [[nodiscard]] std::vector<alert_change>
  judge(const std::vector<alert_reading>& readings, clock::time_point now,
        timestamp_ms wall);

  [[nodiscard]] std::vector<alert> raised() const;

private:
  struct state {
    alert about;
    bool told = false;
    bool beyond = false; ///< the figure stands where `told` would change
    clock::time_point since{};
    bool read = false;
  };

  const std::optional<config::threshold>& rule_of(alert_kind kind) const;
  static bool is_beyond(const config::threshold& rule, double value, bool told);
  std::optional<alert_change> move(state& of, bool beyond, double for_s,
                                   clock::time_point now, timestamp_ms wall);

  std::vector<std::optional<config::threshold>> rules_; ///< by kind
  std::string node_;
  std::map<std::string, state> states_;
};

} // namespace troupe::actors
