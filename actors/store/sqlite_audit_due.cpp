#include "actors/store/audit_rules.hpp"
#include "actors/store/put_off.hpp"
#include "actors/store/sqlite_audit.hpp"

/// Records: that they can be read, and are found when they are due.
namespace troupe::store {

namespace {

std::string key_of(record_kind kind, const std::string& key) {
  const std::string_view word = kind == record_kind::callback   ? "callback "
                                : kind == record_kind::schedule ? "schedule "
                                : kind == record_kind::batch    ? "batch "
                                : kind == record_kind::stream   ? "stream "
                                                                : "";
  return std::string{word} + key;
}

} // namespace

void sqlite_audit::records(std::int64_t after_row) {
  std::vector<record_row> rows;
  {
    // Logs and staged jobs are large, and never due.
    statement query{
      db_, "SELECT rowid, kind, key, lane, due,"
           " CASE WHEN kind IN (108, 115) THEN x'' ELSE body END,"
           " due <= 0 OR EXISTS(SELECT 1 FROM record AS i INDEXED BY record_due"
           " WHERE i.due > 0 AND i.lane = r.lane AND i.due = r.due"
           " AND i.rowid = r.rowid)"
           " FROM record AS r NOT INDEXED WHERE rowid > ?1"
           " ORDER BY rowid LIMIT ?2"};
    auto found = query.start(after_row, request_.max);
    while (found.next())
      rows.push_back({found.number(0),
                      static_cast<record_kind>(found.number(1)),
                      std::string{found.text(2)}, std::string{found.blob(5)},
                      found.number(3), found.number(4), found.number(6) != 0});
  }
  for (const auto& it : rows)
    check_record(it);
  out_.looked_at += rows.size();
  go_on(phase_records, rows.empty() ? "" : std::to_string(rows.back().row),
        rows.size() < request_.max);
}

void sqlite_audit::check_record(const record_row& it) {
  const bool readable = can_be_read(it.kind, it.body);
  check_ties(it);
  if (!readable)
    return;
  const auto times = due_times_of(it.kind, it.body, now_);
  const auto lane = static_cast<std::int64_t>(lane_of(it.kind));
  const bool found = times.allows(it.due) && it.lane == lane;
  if (!found
      && find("due", key_of(it.kind, it.key), "nobody finds it in time")) {
    statement mend{db_, "UPDATE record SET due = ?2, lane = ?3"
                        " WHERE rowid = ?1"};
    mend.run(it.row, times.mended, lane);
  }
  if (!it.indexed && find("index", it.key, "record_due lacks it"))
    db_.run("REINDEX record");
  if (it.kind == record_kind::batch)
    check_batch(it);
}

void sqlite_audit::check_batch(const record_row& it) {
  const auto batch = unpack_batch(it.body);
  const bool noticed = in_.read(record_kind::progress, it.key).has_value();
  const auto why = why_endless(*batch, in_.tally(it.key), noticed);
  if (!why.empty() && find("batch", it.key, std::string{why}))
    settle_batch(it.key, in_);
}

} // namespace troupe::store
