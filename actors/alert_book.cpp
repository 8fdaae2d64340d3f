#include "actors/alert_book.hpp"

#include <utility>

namespace troupe::actors {

alert_book::alert_book(const config::alert_settings& rules, std::string node)
  : node_(std::move(node)) {
  for (const auto* text : {&rules.disk_low, &rules.memory_low, &rules.queue_age,
                           &rules.error_rate, &rules.store_away})
    rules_.push_back(config::parse_threshold(*text));
}

const std::optional<config::threshold>&
alert_book::rule_of(alert_kind kind) const {
  return rules_[static_cast<std::size_t>(kind)];
}

bool alert_book::is_beyond(const config::threshold& rule, double value,
                           bool told) {
  const auto bound = told ? rule.clear : rule.raise;
  return rule.is_floor() == told ? value >= bound : value <= bound;
}

std::optional<alert_change> alert_book::move(state& of, bool beyond,
                                             double for_s,
                                             clock::time_point now,
                                             timestamp_ms wall) {
  if (!beyond || !std::exchange(of.beyond, true))
    of.since = now;
  of.beyond = beyond;
  const std::chrono::duration<double> stood = now - of.since;
  if (!beyond || stood.count() < for_s)
    return std::nullopt;
  of.beyond = false;
  of.told = !of.told;
  if (of.told)
    of.about.since = wall;
  return alert_change{of.told, of.about};
}

std::vector<alert_change>
alert_book::judge(const std::vector<alert_reading>& readings,
                  clock::time_point now, timestamp_ms wall) {
  std::vector<alert_change> changes;
  for (const auto& it : readings) {
    const auto& rule = rule_of(it.kind);
    if (!rule)
      continue;
    std::string id{to_string(it.kind)};
    if (!it.subject.empty())
      id += ':' + it.subject;
    auto& of = states_[id];
    of.read = true;
    of.about.id = std::move(id);
    of.about.kind = it.kind;
    of.about.subject = it.subject;
    of.about.node = node_;
    of.about.value = it.value;
    of.about.raised_at = rule->raise;
    if (auto change =
          move(of, is_beyond(*rule, it.value, of.told), rule->for_s, now, wall))
      changes.push_back(std::move(*change));
  }
  for (auto at = states_.begin(); at != states_.end();) {
    auto& of = at->second;
    const bool read = std::exchange(of.read, false);
    if (!read && of.told)
      if (auto change =
            move(of, true, rule_of(of.about.kind)->for_s, now, wall))
        changes.push_back(std::move(*change));
    at = of.told || (read && of.beyond) ? std::next(at) : states_.erase(at);
  }
  return changes;
}

std::vector<alert> alert_book::raised() const {
  std::vector<alert> out;
  for (const auto& [id, it] : states_)
    if (it.told)
      out.push_back(it.about);
  return out;
}

} // namespace troupe::actors
