#include "actors/store/sqlite_rows.hpp"

#include "config/fault_points.hpp"

#include "actors/store/packing.hpp"
#include "actors/store/transitions.hpp"

namespace troupe::store {

namespace {

constexpr std::size_t index_of(job_state state) {
  return static_cast<std::size_t>(state);
}

std::optional<std::string_view> or_null(const std::string& text) {
  if (text.empty())
    return {};
  return text;
}

ready_list list_of(const job& it) {
  return {it.queue, it.concurrency_key, it.priority};
}

result<stored_job> read_one(cursor& row) {
  stored_job found;
  if (!row.next())
    return fail(errc::not_found);
  if (!sqlite_rows::read(row, found))
    return fail(errc::corrupt);
  return found;
}

} // namespace

sqlite_rows::sqlite_rows(sqlite_db& db, std::int64_t ageing_ms) noexcept
  : db_{db}, ageing_ms_{ageing_ms}, ready_{db},
    by_id_{db, "SELECT seq, state, score, run_at, lease_until, finished_at,"
               " node, live, body FROM job JOIN draft USING(seq)"
               " WHERE id = ?1"},
    by_seq_{db, "SELECT seq, state, score, run_at, lease_until, finished_at,"
                " node, live, body FROM job JOIN draft USING(seq)"
                " WHERE seq = ?1"},
    holder_{db, "SELECT seq FROM job INDEXED BY job_unique"
                " WHERE unique_key = ?1 AND state < 6"},
    insert_job_{db, "INSERT INTO job(id, queue, grp, priority, state, score,"
                    " run_at, lease_until, finished_at, node, batch,"
                    " unique_key, live)"
                    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0, '', ?8, ?9,"
                    " ?10) ON CONFLICT(id) DO NOTHING"},
    insert_draft_{db, "INSERT INTO draft VALUES(?1, ?2)"},
    update_{db, "UPDATE job SET state = ?2, score = ?3, run_at = ?4,"
                " lease_until = ?5, finished_at = ?6, node = ?7, live = ?8"
                " WHERE seq = ?1"},
    update_live_{db, "UPDATE job SET live = ?2 WHERE seq = ?1"},
    update_lease_{db, "UPDATE job SET lease_until = ?2 WHERE seq = ?1"},
    delete_job_{db, "DELETE FROM job WHERE seq = ?1"},
    delete_draft_{db, "DELETE FROM draft WHERE seq = ?1"},
    locate_{db, "SELECT queue, grp, priority, state FROM job WHERE seq = ?1"},
    bury_{db, "UPDATE job SET state = 7, lease_until = 0, finished_at = ?2"
              " WHERE seq = ?1"},
    read_depths_{db, "SELECT queue, state, jobs FROM depth"},
    add_depth_{db, "INSERT INTO depth VALUES(?1, ?2, ?3)"
                   " ON CONFLICT DO UPDATE SET jobs = jobs + ?3"} {}

bool sqlite_rows::read(cursor& row, stored_job& out) {
  const auto state = row.number(1);
  if (state < 0 || state >= std::int64_t{job_state_count})
    return false;
  if (!unpack_draft(row.blob(8), out.job) || !unpack_live(row.blob(7), out.job))
    return false;
  out.seq = row.number(0);
  out.was = out.job.state = static_cast<job_state>(state);
  out.score = row.number(2);
  out.job.run_at = row.number(3);
  out.job.lease_until = row.number(4);
  out.job.finished_at = row.number(5);
  out.job.node = row.text(6);
  return true;
}

result<stored_job> sqlite_rows::load(const std::string& id) {
  auto row = by_id_.start(id);
  return read_one(row);
}

result<stored_job> sqlite_rows::load(std::int64_t seq) {
  auto row = by_seq_.start(seq);
  return read_one(row);
}

std::int64_t sqlite_rows::holder_of(const std::string& unique_key) {
  auto row = holder_.start(unique_key);
  return row.next() ? row.number(0) : 0;
}

bool sqlite_rows::insert(const job& added) {
  const auto score = score_of(added.run_at, added.priority, ageing_ms_);
  const auto live = pack_live(added);
  const auto added_rows = insert_job_.run(
    added.id, added.queue, added.concurrency_key, added.priority,
    index_of(added.state), score, added.run_at, or_null(added.batch),
    or_null(added.unique_key), blob_view{live});
  if (added_rows == 0)
    return false;
  const auto seq = db_.last_row();
  const auto body = pack_draft(added);
  insert_draft_.run(seq, blob_view{body});
  moved(added, {}, added.state);
  if (added.state == job_state::queued)
    ready_.entered(list_of(added), {score, seq});
  return true;
}

void sqlite_rows::save(stored_job& changed) {
  const auto& it = changed.job;
  // Only a new ready time gives a new place; see `release`.
  changed.score = score_of(it.run_at, it.priority, ageing_ms_);
  const auto live = pack_live(it);
  update_.run(changed.seq, index_of(it.state), changed.score, it.run_at,
              it.lease_until, it.finished_at, it.node, blob_view{live});
  if (it.state == changed.was)
    return;
  moved(it, changed.was, it.state);
  if (changed.was == job_state::queued)
    ready_.left(list_of(it), changed.seq);
  if (it.state == job_state::queued)
    ready_.entered(list_of(it), {changed.score, changed.seq});
  changed.was = it.state;
}

void sqlite_rows::save_live(const stored_job& changed) {
  const auto live = pack_live(changed.job);
  update_live_.run(changed.seq, blob_view{live});
}

void sqlite_rows::save_lease(std::int64_t seq, timestamp_ms until) {
  update_lease_.run(seq, until);
}

std::optional<sqlite_rows::located> sqlite_rows::locate(std::int64_t seq) {
  auto row = locate_.start(seq);
  if (!row.next())
    return {};
  located found;
  found.job.queue = row.text(0);
  found.job.concurrency_key = row.text(1);
  found.job.priority = static_cast<std::int32_t>(row.number(2));
  found.state = static_cast<job_state>(row.number(3));
  return found;
}

void sqlite_rows::erase(std::int64_t seq) {
  const auto found = locate(seq);
  if (!found)
    return;
  delete_job_.run(seq);
  delete_draft_.run(seq);
  moved(found->job, found->state, {});
  if (found->state == job_state::queued)
    ready_.left(list_of(found->job), seq);
}

void sqlite_rows::bury(std::int64_t seq, timestamp_ms now) {
  const auto found = locate(seq);
  if (!found)
    return;
  bury_.run(seq, now);
  moved(found->job, found->state, job_state::failed);
  if (found->state == job_state::queued)
    ready_.left(list_of(found->job), seq);
}

void sqlite_rows::moved(const job& it, std::optional<job_state> from,
                        std::optional<job_state> to) {
  auto& counts = moves_[it.queue];
  if (from)
    --counts[index_of(*from)];
  if (to)
    ++counts[index_of(*to)];
  if (waiting_)
    *waiting_ += int(to && is_waiting(*to)) - int(from && is_waiting(*from));
}

std::map<std::string, sqlite_rows::counters> sqlite_rows::depths() {
  auto found = moves_;
  auto row = read_depths_.start();
  while (row.next()) {
    const auto state = static_cast<std::size_t>(row.number(1));
    if (state < job_state_count)
      found[std::string{row.text(0)}][state] += row.number(2);
  }
  return found;
}

std::int64_t sqlite_rows::waiting() {
  if (waiting_)
    return *waiting_;
  waiting_ = 0;
  for (const auto& [queue, counts] : depths())
    for (std::size_t state = 0; state < job_state_count; ++state)
      if (is_waiting(static_cast<job_state>(state)))
        *waiting_ += counts[state];
  return *waiting_;
}

void sqlite_rows::write_counters() {
  for (const auto& [queue, counts] : moves_)
    for (std::size_t state = 0; state < job_state_count; ++state)
      if (counts[state] != 0)
        add_depth_.run(queue, state, counts[state]);
}

void sqlite_rows::begin(bool writing) {
  moves_.clear();
  waiting_.reset();
  ready_.forget();
  db_.begin(writing);
}

result<void> sqlite_rows::end() {
  write_counters();
  ready_.flush();
  TROUPE_FAULT_POINT(store_writing);
  auto done = db_.end();
  TROUPE_FAULT_POINT(store_written);
  return done;
}

} // namespace troupe::store
