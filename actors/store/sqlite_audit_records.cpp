#include "actors/store/dependants.hpp"
#include "actors/store/packing.hpp"
#include "actors/store/sqlite_audit.hpp"
#include "actors/store/transaction.hpp"
#include "actors/store/transitions.hpp"

#include <algorithm>

/// What lies beside the jobs: who waits for whom, and the counts of batches.
namespace troupe::store {

namespace {

constexpr auto waits_kind = static_cast<std::int64_t>(link_kind::waits);
constexpr auto holds_kind = static_cast<std::int64_t>(link_kind::holds);
constexpr auto release_kind = static_cast<std::int64_t>(record_kind::release);
constexpr auto unhold_kind = static_cast<std::int64_t>(record_kind::unhold);
constexpr auto follow_lane = static_cast<std::int64_t>(due_lane::follow);

struct link_row {
  std::int64_t kind = 0;
  std::string owner, member;
};

/// A link as a position: kind, size of the owner, owner, member.
std::string position_of(const link_row& it) {
  return std::to_string(it.kind) + ":" + std::to_string(it.owner.size()) + ":"
         + it.owner + it.member;
}

/// States that are none of ours have not ended.
bool has_ended(std::int64_t state) {
  return state < std::int64_t{job_state_count}
         && is_terminal(static_cast<job_state>(state));
}

link_row link_at(std::string_view position) {
  link_row it;
  const auto first = position.find(':');
  const auto second = position.find(':', first + 1);
  if (first == position.npos || second == position.npos)
    return it;
  const auto rest = position.substr(second + 1);
  const auto size = std::size_t(number_in(position.substr(first + 1)));
  it.kind = number_in(position);
  it.owner = rest.substr(0, size);
  it.member = rest.substr(std::min(rest.size(), size));
  return it;
}

} // namespace

/// A job waits for one that is stored, whose end, be it past, will be noticed.
void sqlite_audit::links(const std::string& position) {
  struct wrong {
    link_row link;
    bool drop;
    const char* why;
  };
  std::vector<wrong> found;
  std::uint32_t count = 0;
  auto last = link_at(position);
  {
    statement query{db_, "SELECT kind, owner, member,"
                         " coalesce((SELECT state FROM job WHERE id = owner),"
                         " -1), coalesce((SELECT state FROM job"
                         " WHERE id = member), -1),"
                         " EXISTS(SELECT 1 FROM record WHERE"
                         " record.kind = ?2 AND key = owner),"
                         " EXISTS(SELECT 1 FROM record WHERE"
                         " record.kind = ?8 AND key = member)"
                         " FROM link WHERE kind IN (?3, ?4)"
                         " AND (kind, owner, member) > (?5, ?6, ?7)"
                         " ORDER BY kind, owner, member LIMIT ?1"};
    const auto from = last;
    auto row = query.start(request_.max, release_kind, waits_kind, holds_kind,
                           from.kind, from.owner, from.member, unhold_kind);
    for (; row.next(); ++count) {
      last = {row.number(0), std::string{row.text(1)},
              std::string{row.text(2)}};
      const auto owner = row.number(3), member = row.number(4);
      if (owner < 0 || member < 0)
        found.push_back({last, true, "it or what it waits for does not exist"});
      else if (has_ended(member) && row.number(6) == 0)
        found.push_back({last, true, "it has ended and does not wait"});
      else if (last.kind == waits_kind && has_ended(owner)
               && row.number(5) == 0)
        found.push_back({last, false, "nobody tells it of an end"});
    }
  }
  statement drop{db_, "DELETE FROM link WHERE kind = ?1 AND owner = ?2"
                      " AND member = ?3"};
  statement note{db_, "INSERT OR REPLACE INTO record"
                      " VALUES(?1, ?2, ?3, ?4, x'')"};
  for (const auto& [link, orphan, why] : found) {
    if (!find(orphan ? "orphan" : "release", link.member, why))
      continue;
    if (orphan)
      drop.run(link.kind, link.owner, link.member);
    else
      note.run(release_kind, link.owner, follow_lane, now_);
  }
  out_.looked_at += count;
  go_on(phase_links, position_of(last), count < request_.max);
}

/// What other links name is a record.
void sqlite_audit::named(const std::string& position) {
  std::vector<link_row> lost;
  std::uint32_t count = 0;
  auto last = link_at(position);
  {
    statement query{db_, "SELECT kind, owner, member, EXISTS(SELECT 1"
                         " FROM record WHERE key = member AND record.kind ="
                         " CASE link.kind WHEN 115 THEN 99 WHEN 118 THEN 118"
                         " ELSE 119 END) FROM link"
                         " WHERE kind IN (99, 100, 115, 118)"
                         " AND (kind, owner, member) > (?2, ?3, ?4)"
                         " ORDER BY kind, owner, member LIMIT ?1"};
    const auto from = last;
    auto row = query.start(request_.max, from.kind, from.owner, from.member);
    for (; row.next(); ++count) {
      last = {row.number(0), std::string{row.text(1)},
              std::string{row.text(2)}};
      if (row.number(3) == 0)
        lost.push_back(last);
    }
  }
  for (const auto& it : lost)
    if (find("orphan", it.member, "a list names what does not exist"))
      in_.unlink(static_cast<link_kind>(it.kind), it.owner, it.member);
  out_.looked_at += count;
  go_on(phase_named, position_of(last), count < request_.max);
}

/// It waits for as many as it says.
void sqlite_audit::check_pending(std::int64_t seq, const job& it,
                                 job_state state) {
  if (it.depends_on.empty() || is_terminal(state))
    return;
  statement query{db_, "SELECT count(*) FROM link WHERE kind = ?1"
                       " AND owner = ?2 AND member = ?3"};
  std::uint32_t pending = 0;
  for (const auto& parent : it.depends_on) {
    auto row = query.start(waits_kind, parent, it.id);
    pending += row.next() && row.number(0) > 0 ? 1 : 0;
  }
  const bool blocked = state == job_state::blocked;
  const bool waits = blocked || state == job_state::paused;
  const bool wrong = pending != it.pending || (blocked && pending == 0);
  if (!wrong
      || !find("pending", it.id,
               "it waits for " + std::to_string(pending) + " jobs"))
    return;
  if (pending == 0 && waits) {
    if (const auto child = in_.find(it.id))
      wait_again(*child.it, in_);
    return;
  }
  auto mended = it;
  mended.pending = pending;
  const auto live = pack_live(mended);
  statement mend{db_, "UPDATE job SET live = ?2 WHERE seq = ?1"};
  mend.run(seq, blob_view{live});
}

/// Jobs of batches by state; what ended may have been forgotten since, and may
/// outlive its batch.
void sqlite_audit::tallies() {
  struct wrong {
    std::string batch;
    std::int64_t state, counted;
  };
  std::vector<wrong> found;
  {
    statement query{db_, "SELECT batch, state, total(counted), total(kept)"
                         " FROM (SELECT batch, state, count(*) AS counted,"
                         " 0 AS kept FROM job WHERE batch IS NOT NULL"
                         " GROUP BY batch, state"
                         " UNION ALL SELECT batch, state, 0, jobs FROM tally)"
                         " GROUP BY batch, state HAVING (state < 6"
                         " AND total(counted) <> total(kept))"
                         " OR (state >= 6 AND total(counted) > total(kept)"
                         " AND EXISTS(SELECT 1 FROM record"
                         " WHERE kind = 98 AND key = batch))"};
    auto row = query.start();
    while (row.next())
      found.push_back({std::string{row.text(0)}, row.number(1), row.number(2)});
  }
  statement mend{db_, "INSERT OR REPLACE INTO tally VALUES(?1, ?2, ?3)"};
  for (const auto& it : found)
    if (find("tally", it.batch,
             "of state " + std::to_string(it.state) + " there are "
               + std::to_string(it.counted)))
      mend.run(it.batch, it.state, it.counted);
  go_on(phase_tallies, "", true);
}

} // namespace troupe::store
