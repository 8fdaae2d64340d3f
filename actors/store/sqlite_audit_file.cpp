#include "actors/store/sqlite_audit.hpp"
#include "actors/store/sqlite_schema.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <thread>

/// Whether the file is whole, and what its indexes lack.
namespace troupe::store {

namespace {

/// Interrupts a connection after so long, unless it is gone before.
class time_limit {
public:
  /// @param ms 0: never
  time_limit(sqlite_db& db, std::int64_t ms) {
    if (ms > 0)
      thread_ = std::jthread{[this, &db, ms](const std::stop_token& stop) {
        std::unique_lock lock{mutex_};
        wakes_.wait_for(lock, stop, std::chrono::milliseconds{ms},
                        [] { return false; });
        if (stop.stop_requested())
          return;
        is_over_ = true;
        db.interrupt();
      }};
  }

  [[nodiscard]] bool is_over() const noexcept {
    return is_over_;
  }

private:
  std::mutex mutex_;
  std::condition_variable_any wakes_;
  std::atomic<bool> is_over_ = false;
  std::jthread thread_; ///< last: it uses the others
};

/// What is damaged, in SQLite's words, 20 at most.
/// @param ms as long as it may take, 0: any
/// @param gave_up set if that was not enough
result<std::vector<std::string>> damages_of(sqlite_db& db, std::int64_t ms,
                                            bool& gave_up) {
  std::vector<std::string> found;
  const time_limit limit{db, ms};
  db.begin(false);
  {
    statement query{db, "PRAGMA quick_check(20)"};
    auto row = query.start();
    while (row.next())
      if (const auto text = row.text(0); text != "ok")
        found.emplace_back(text);
  }
  const auto done = db.end();
  gave_up = !done && limit.is_over();
  if (gave_up)
    return std::vector<std::string>{};
  if (!done) {
    if (done.error().code != make_error_code(errc::corrupt))
      return done.error();
    found.push_back(done.error().detail);
  }
  for (auto& text : found)
    std::ranges::replace(text, '\n', ' ');
  return found;
}

/// Indexes anew from their tables. Dropped without being read, since that is
/// what cannot be done; VACUUM takes back what they leave.
void rebuild_indexes(sqlite_db& db) {
  db.begin(true);
  std::vector<std::string> made;
  {
    statement query{db, "SELECT sql FROM sqlite_schema"
                        " WHERE type = 'index' AND sql IS NOT NULL"};
    auto row = query.start();
    while (row.next())
      made.emplace_back(row.text(0));
  }
  db.run("PRAGMA writable_schema = ON;"
         "DELETE FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL;"
         "PRAGMA writable_schema = RESET");
  for (const auto& sql : made)
    db.run(sql.c_str());
  db.run("REINDEX");
  if (db.end())
    db.run("VACUUM");
  db.begin(false);
  db.run("PRAGMA writable_schema = RESET");
  (void)db.end();
}

/// What a new database has and this one lacks.
struct lost_part {
  std::string name, sql;
  bool is_table = false;
};

/// Tables come before their indexes.
result<std::vector<lost_part>> lost_parts(sqlite_db& db) {
  auto fresh = open_job_database(":memory:", 0);
  if (!fresh)
    return fresh.error();
  std::vector<lost_part> lost;
  statement made{**fresh, "SELECT name, sql, type = 'table' FROM sqlite_schema"
                          " WHERE type IN ('index', 'table')"
                          " AND sql IS NOT NULL ORDER BY type DESC"};
  statement known{db, "SELECT 1 FROM sqlite_schema WHERE name = ?1"
                      " AND (type = 'table') = ?2"};
  auto row = made.start();
  while (row.next()) {
    const std::string name{row.text(0)};
    const auto is_table = row.number(2);
    auto found = known.start(name, is_table);
    if (!found.next())
      lost.push_back({name, std::string{row.text(1)}, is_table != 0});
  }
  return lost;
}

/// True for what other tables tell, too.
bool is_counted_again(std::string_view table) {
  constexpr std::array<std::string_view, 5> derived{"head", "depth", "tally",
                                                    "held", "clock"};
  return std::ranges::find(derived, table) != derived.end();
}

audit_finding finding_of(const lost_part& it, bool repair) {
  if (!it.is_table)
    return {"index", it.name, "it is gone", repair};
  return {"table", it.name,
          is_counted_again(it.name) ? "it is gone"
                                    : "it is gone, with all that it held",
          repair};
}

void make(const lost_part& it, sqlite_db& db) {
  db.run(it.sql.c_str());
  if (it.name == "clock")
    db.run("INSERT INTO clock VALUES(1, 0, 0)");
}

/// Nothing else can be looked at without them. A table comes back empty; what
/// is counted in it is counted again by the steps that follow.
/// @return whether all are there
result<bool> audit_parts(sqlite_db& db, bool repair, audit_result& out) {
  db.begin(repair);
  const auto lost = lost_parts(db);
  for (const auto& it : lost ? *lost : std::vector<lost_part>{}) {
    out.findings.push_back(finding_of(it, repair));
    if (repair)
      make(it, db);
  }
  auto done = db.end();
  if (!lost)
    return lost.error();
  if (done)
    return lost->empty() || repair;
  // Of one that cannot be made anew, rows contradict each other.
  for (auto& it : out.findings)
    it.repaired = false;
  return false;
}

} // namespace

result<audit_result> audit_file(sqlite_db& db, const audit_request& request) {
  audit_result out;
  auto found = damages_of(db, request.file_ms, out.gave_up);
  if (!found)
    return found.error();
  bool mended = false;
  if (!found->empty() && request.repair) {
    rebuild_indexes(db);
    bool unused = false;
    const auto left = damages_of(db, 0, unused);
    mended = left && left->empty();
  }
  for (auto& text : *found)
    out.findings.push_back({"file", "database", std::move(text), mended});
  out.looked_at = 1;
  audit_result parts;
  const auto whole = audit_parts(db, request.repair, parts);
  if (!whole)
    return whole.error();
  std::ranges::move(parts.findings, std::back_inserter(out.findings));
  if (*whole)
    out.next_cursor = std::string(1, phase_links);
  return out;
}

namespace {

/// Jobs between two sequences that an index lacks; a partial index is used
/// only by a query that repeats its condition.
struct index_query {
  const char* name;
  const char* sql;
};

#define TROUPE_LACKING(index, condition, same)                                 \
  index_query {                                                                \
    index, "SELECT id FROM job AS j NOT INDEXED WHERE seq > ?1 AND seq <= ?2"  \
           " AND " condition " AND NOT EXISTS(SELECT 1 FROM job AS i"          \
           " INDEXED BY " index " WHERE " same " AND i.seq = j.seq)"           \
  }

constexpr std::array index_queries{
  TROUPE_LACKING("sqlite_autoindex_job_1", "true", "i.id = j.id"),
  TROUPE_LACKING("job_state", "true", "i.state = j.state"),
  TROUPE_LACKING("job_ready", "state = 2",
                 "i.state = 2 AND i.queue = j.queue AND i.grp = j.grp"
                 " AND i.priority = j.priority AND i.score = j.score"),
  TROUPE_LACKING("job_due", "state = 0", "i.state = 0 AND i.run_at = j.run_at"),
  TROUPE_LACKING("job_leased", "lease_until > 0",
                 "i.lease_until > 0 AND i.lease_until = j.lease_until"),
  TROUPE_LACKING("job_finished", "finished_at > 0",
                 "i.finished_at > 0 AND i.state = j.state"
                 " AND i.finished_at = j.finished_at"),
  TROUPE_LACKING("job_batch", "batch IS NOT NULL",
                 "i.batch IS NOT NULL AND i.batch = j.batch"),
  TROUPE_LACKING("job_unique", "unique_key IS NOT NULL AND state < 6",
                 "i.unique_key IS NOT NULL AND i.state < 6"
                 " AND i.unique_key = j.unique_key"),
};

#undef TROUPE_LACKING

} // namespace

void sqlite_audit::indexes(std::int64_t after_seq, std::int64_t last_seq) {
  bool lacking = false;
  for (const auto& [name, sql] : index_queries) {
    statement query{db_, sql};
    auto row = query.start(after_seq, last_seq);
    while (row.next())
      lacking =
        find("index", std::string{row.text(0)}, std::string{name} + " lacks it")
        || lacking;
  }
  if (lacking)
    db_.run("REINDEX");
}

} // namespace troupe::store
