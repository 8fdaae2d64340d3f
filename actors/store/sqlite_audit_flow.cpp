#include "actors/store/audit_rules.hpp"
#include "actors/store/sqlite_audit.hpp"

#include <algorithm>

/// Limits of queues and keys, and the clock by which leases expire.
namespace troupe::store {

namespace {

/// A key's parked lists come back with its next token; later than this, never.
constexpr std::int64_t token_slack_ms = 120'000;

} // namespace

void sqlite_audit::limits(const std::string& after_name) {
  struct row {
    std::string name, body;
    timestamp_ms due;
  };
  std::vector<row> rows;
  {
    statement query{db_, "SELECT name, body, due FROM flow WHERE name > ?1"
                         " ORDER BY name LIMIT ?2"};
    auto found = query.start(after_name, request_.max);
    while (found.next())
      rows.push_back({std::string{found.text(0)}, std::string{found.blob(1)},
                      found.number(2)});
  }
  for (const auto& it : rows)
    check_limit(it.name, it.body, it.due);
  out_.looked_at += rows.size();
  const bool at_end = rows.size() < request_.max;
  go_on(phase_limits, rows.empty() ? "" : rows.back().name, at_end);
  if (at_end)
    clock();
}

void sqlite_audit::check_limit(const std::string& name, const std::string& body,
                               timestamp_ms due) {
  flow_limit mended;
  const auto wrong = wrong_in_limit(body, now_, mended);
  if (!wrong.empty()) {
    if (find("limit", name, std::string{wrong}))
      set_limit(name, mended);
    return;
  }
  const auto latest = std::max(now_, next_token(mended)) + token_slack_ms;
  if (due > latest
      && find("limit", name,
              "what waits for a token never comes"
              " back")) {
    statement mend{db_, "UPDATE flow SET due = ?2 WHERE name = ?1"};
    mend.run(name, now_);
  }
}

void sqlite_audit::set_limit(const std::string& name, const flow_limit& limit) {
  if (!name.empty())
    return flow_.put(name, limit);
  statement drop{db_, "DELETE FROM flow WHERE name = ''"};
  drop.run();
}

/// Leases that expire late are better than some that expire early.
void sqlite_audit::clock() {
  std::optional<alive_clock> it;
  {
    statement query{db_, "SELECT alive, grace_until FROM clock"};
    auto row = query.start();
    if (row.next())
      it = alive_clock{row.number(0), row.number(1)};
  }
  if (it && !is_ahead(*it, now_))
    return;
  if (!find("clock", "leases", it ? "it goes ahead of time" : "there is none"))
    return;
  alive_clock mended;
  mended.renewed(now_, options_.lease_ms);
  statement mend{db_, "INSERT OR REPLACE INTO clock VALUES(1, ?1, ?2)"};
  mend.run(mended.alive, mended.grace_until);
}

} // namespace troupe::store
