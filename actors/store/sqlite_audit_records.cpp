#include "actors/store/packing.hpp"
#include "actors/store/sqlite_audit.hpp"
#include "actors/store/transaction.hpp"
#include "actors/store/transitions.hpp"

#include <charconv>

/// What lies beside the jobs: who waits for whom, and the counts of batches.
namespace troupe::store {

namespace {

constexpr auto waits_kind = static_cast<std::int64_t>(link_kind::waits);
constexpr auto holds_kind = static_cast<std::int64_t>(link_kind::holds);
constexpr auto release_kind = static_cast<std::int64_t>(record_kind::release);
constexpr auto follow_lane = static_cast<std::int64_t>(due_lane::follow);

} // namespace

/// A job waits for one that is stored, whose end, be it past, will be noticed.
void sqlite_audit::links(std::int64_t skip) {
  struct wrong {
    std::int64_t kind;
    std::string owner, member;
    bool orphan;
  };
  std::vector<wrong> found;
  std::int64_t count = 0;
  {
    statement query{db_, "SELECT kind, owner, member,"
                         " EXISTS(SELECT 1 FROM job WHERE id = member),"
                         " coalesce((SELECT state FROM job WHERE id = owner),"
                         " -1), EXISTS(SELECT 1 FROM record WHERE"
                         " record.kind = ?3 AND key = owner)"
                         " FROM link WHERE kind IN (?4, ?5)"
                         " ORDER BY kind, owner, member LIMIT ?1 OFFSET ?2"};
    auto row =
      query.start(request_.max, skip, release_kind, waits_kind, holds_kind);
    for (; row.next(); ++count) {
      const auto state = row.number(4);
      const bool orphan = row.number(3) == 0 || state < 0;
      const bool forgotten = row.number(0) == waits_kind && state >= 0
                             && is_terminal(static_cast<job_state>(state))
                             && row.number(5) == 0;
      if (orphan || forgotten)
        found.push_back({row.number(0), std::string{row.text(1)},
                         std::string{row.text(2)}, orphan});
    }
  }
  statement drop{db_, "DELETE FROM link WHERE kind = ?1 AND owner = ?2"
                      " AND member = ?3"};
  statement note{db_, "INSERT OR REPLACE INTO record"
                      " VALUES(?1, ?2, ?3, ?4, x'')"};
  std::int64_t dropped = 0;
  for (const auto& it : found) {
    if (!find(it.orphan ? "orphan" : "release", it.member,
              it.orphan ? "it or what it waits for does not exist"
                        : "nobody tells it that " + it.owner + " has ended"))
      continue;
    if (it.orphan)
      dropped += drop.run(it.kind, it.owner, it.member);
    else
      note.run(release_kind, it.owner, follow_lane, now_);
  }
  out_.looked_at += std::uint64_t(count);
  go_on(phase_links, std::to_string(skip + count - dropped),
        count < request_.max);
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
  const bool wrong = pending != it.pending || (blocked && pending == 0);
  if (!wrong
      || !find("pending", it.id,
               "it waits for " + std::to_string(pending) + " jobs"))
    return;
  auto mended = it;
  mended.pending = pending;
  const auto live = pack_live(mended);
  statement mend{db_, "UPDATE job SET live = ?2, state = ?3 WHERE seq = ?1"};
  const auto now_is = blocked && pending == 0 ? job_state::queued : state;
  mend.run(seq, blob_view{live}, static_cast<std::int64_t>(now_is));
}

/// Jobs of batches by state; what ended may have been forgotten since.
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
                         " GROUP BY batch, state HAVING total(counted) >"
                         " total(kept) OR (state < 6 AND total(counted) <>"
                         " total(kept))"};
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
