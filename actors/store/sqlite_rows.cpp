#include "actors/store/sqlite_rows.hpp"

#include "config/fault_points.hpp"

#include "actors/store/audit_rules.hpp"
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
  return {it.queue, it.concurrency_key, lane_number(it)};
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
  : db_{db}, ageing_ms_{ageing_ms}, flow_{db}, ready_{db, flow_},
    by_id_{db, "SELECT seq, state, score, run_at, lease_until, finished_at,"
               " node, live, body, id FROM job JOIN draft USING(seq)"
               " WHERE id = ?1"},
    by_seq_{db, "SELECT seq, state, score, run_at, lease_until, finished_at,"
                " node, live, body, id FROM job JOIN draft USING(seq)"
                " WHERE seq = ?1"},
    holder_{db, "SELECT id FROM job INDEXED BY job_unique"
                " WHERE unique_key = ?1 AND state < 6"},
    insert_job_{db, "INSERT INTO job(id, queue, grp, priority, state, score,"
                    " run_at, lease_until, finished_at, node, batch,"
                    " unique_key, live)"
                    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?11, '', ?8,"
                    " ?9, ?10)"},
    insert_draft_{db, "INSERT INTO draft VALUES(?1, ?2)"},
    update_{db, "UPDATE job SET state = ?2, score = ?3, run_at = ?4,"
                " lease_until = ?5, finished_at = ?6, node = ?7, live = ?8"
                " WHERE seq = ?1"},
    update_live_{db, "UPDATE job SET live = ?2 WHERE seq = ?1"},
    update_draft_{db, "UPDATE draft SET body = ?2 WHERE seq = ?1"},
    update_lease_{db, "UPDATE job SET lease_until = ?2 WHERE seq = ?1"},
    delete_job_{db, "DELETE FROM job WHERE seq = ?1"},
    delete_draft_{db, "DELETE FROM draft WHERE seq = ?1"},
    locate_{db, "SELECT queue, grp, priority, state, batch, id, unique_key,"
                " run_at FROM job WHERE seq = ?1"},
    bury_{db, "UPDATE job SET state = 7, lease_until = 0, finished_at = ?2,"
              " live = ?3 WHERE seq = ?1"},
    read_draft_{db, "SELECT body FROM draft WHERE seq = ?1"},
    replace_draft_{db, "INSERT OR REPLACE INTO draft VALUES(?1, ?2)"},
    read_depths_{db, "SELECT queue, state, jobs FROM depth"},
    add_depth_{db, "INSERT INTO depth VALUES(?1, ?2, ?3)"
                   " ON CONFLICT DO UPDATE SET jobs = jobs + ?3"},
    read_tally_{db, "SELECT state, jobs FROM tally WHERE batch = ?1"},
    add_tally_{db, "INSERT INTO tally VALUES(?1, ?2, ?3)"
                   " ON CONFLICT DO UPDATE SET jobs = jobs + ?3"},
    drop_tally_{db, "DELETE FROM tally WHERE batch = ?1"} {}

bool sqlite_rows::read(cursor& row, stored_job& out) {
  const auto state = row.number(1);
  if (state < 0 || state >= std::int64_t{job_state_count})
    return false;
  if (!unpack_draft(row.blob(8), out.job) || !unpack_live(row.blob(7), out.job)
      || out.job.id != row.text(9))
    return false;
  out.seq = row.number(0);
  out.was = out.job.state = static_cast<job_state>(state);
  out.score = row.number(2);
  out.was_run_at = out.job.run_at = row.number(3);
  out.was_leased_until = out.job.lease_until = row.number(4);
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

std::string sqlite_rows::holder_of(const std::string& unique_key) {
  auto row = holder_.start(unique_key);
  return row.next() ? std::string{row.text(0)} : std::string{};
}

/// What is stored is now as the job is.
void sqlite_rows::settled(stored_job& saved) {
  saved.was = saved.job.state;
  saved.was_run_at = saved.job.run_at;
  saved.was_leased_until = saved.job.lease_until;
}

stored_job sqlite_rows::insert(job added) {
  stored_job it;
  it.job = std::move(added);
  const auto& job = it.job;
  it.score = score_of(job, ageing_ms_);
  const auto live = pack_live(job);
  insert_job_.run(job.id, job.queue, job.concurrency_key, lane_number(job),
                  index_of(job.state), it.score, job.run_at, or_null(job.batch),
                  or_null(job.unique_key), blob_view{live}, job.finished_at);
  it.seq = db_.last_row();
  const auto body = pack_draft(job);
  insert_draft_.run(it.seq, blob_view{body});
  moved(job, {}, job.state);
  if (job.state == job_state::queued)
    ready_.entered(list_of(job), {it.score, it.seq});
  settled(it);
  return it;
}

void sqlite_rows::save(stored_job& changed) {
  const auto& it = changed.job;
  const auto live = pack_live(it);
  if (it.state == changed.was && it.run_at == changed.was_run_at
      && it.lease_until == changed.was_leased_until) {
    update_live_.run(changed.seq, blob_view{live});
    return;
  }
  // Only a new ready time gives a new place; see `release`.
  changed.score = score_of(it, ageing_ms_);
  update_.run(changed.seq, index_of(it.state), changed.score, it.run_at,
              it.lease_until, it.finished_at, it.node, blob_view{live});
  if (it.state != changed.was) {
    moved(it, changed.was, it.state);
    if (changed.was == job_state::queued)
      ready_.left(list_of(it), changed.seq);
    if (it.state == job_state::queued)
      ready_.entered(list_of(it), {changed.score, changed.seq});
  }
  settled(changed);
}

void sqlite_rows::save_draft(const stored_job& changed) {
  const auto body = pack_draft(changed.job);
  update_draft_.run(changed.seq, blob_view{body});
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
  enter_lane(found.job, static_cast<std::int32_t>(row.number(2)));
  if (const auto state = row.number(3);
      state >= 0 && state < std::int64_t{job_state_count})
    found.state = static_cast<job_state>(state);
  found.job.batch = row.text(4);
  found.job.id = row.text(5);
  found.job.unique_key = row.text(6);
  found.job.run_at = row.number(7);
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

/// What of a draft can be read; its row knows better what is searched by.
void sqlite_rows::read_legible(std::int64_t seq, job& known) {
  job legible;
  auto row = read_draft_.start(seq);
  if (!row.next())
    return;
  // What comes before the damage has been read; it may be another job's.
  static_cast<void>(unpack_draft(row.blob(0), legible));
  if (legible.id != known.id)
    return;
  legible.queue = known.queue;
  legible.concurrency_key = known.concurrency_key;
  legible.priority = known.priority;
  legible.deadline_ms = known.deadline_ms;
  legible.batch = known.batch;
  legible.unique_key = known.unique_key;
  legible.run_at = known.run_at;
  known = std::move(legible);
}

std::optional<job> sqlite_rows::bury(std::int64_t seq, timestamp_ms now) {
  auto found = locate(seq);
  if (!found)
    return {};
  read_legible(seq, found->job);
  auto dead = corrupt_job(std::move(found->job), now);
  const auto live = pack_live(dead);
  const auto body = pack_draft(dead);
  bury_.run(seq, now, blob_view{live});
  replace_draft_.run(seq, blob_view{body});
  moved(dead, found->state, job_state::failed);
  if (found->state == job_state::queued)
    ready_.left(list_of(dead), seq);
  return dead;
}

void sqlite_rows::moved(const job& it, std::optional<job_state> from,
                        std::optional<job_state> to) {
  auto& counts = moves_[it.queue];
  if (from)
    --counts[index_of(*from)];
  if (to)
    ++counts[index_of(*to)];
  // What is erased still counts in its batch.
  if (!it.batch.empty() && to) {
    auto& tally = batch_moves_[it.batch];
    ++tally[index_of(*to)];
    if (from)
      --tally[index_of(*from)];
  }
  const int by = int(to && is_leased(*to)) - int(from && is_leased(*from));
  if (by != 0)
    flow_.leased(it, by);
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
  for (const auto& [batch, counts] : batch_moves_)
    for (std::size_t state = 0; state < job_state_count; ++state)
      if (counts[state] != 0)
        add_tally_.run(batch, state, counts[state]);
}

sqlite_rows::counters sqlite_rows::tally(const std::string& batch) {
  const auto moves = batch_moves_.find(batch);
  auto jobs = moves == batch_moves_.end() ? counters{} : moves->second;
  auto row = read_tally_.start(batch);
  while (row.next())
    if (const auto state = static_cast<std::size_t>(row.number(0));
        state < job_state_count)
      jobs[state] += row.number(1);
  return jobs;
}

void sqlite_rows::drop_tally(const std::string& batch) {
  drop_tally_.run(batch);
}

void sqlite_rows::begin(bool writing, syncing how) {
  moves_.clear();
  batch_moves_.clear();
  waiting_.reset();
  ready_.forget();
  flow_.forget();
  db_.begin(writing, how);
}

result<void> sqlite_rows::end() {
  write_counters();
  ready_.flush();
  flow_.flush();
  TROUPE_FAULT_POINT(store_writing);
  auto done = db_.end();
  TROUPE_FAULT_POINT(store_written);
  return done;
}

} // namespace troupe::store
