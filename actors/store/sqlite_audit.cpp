#include "actors/store/sqlite_audit.hpp"

#include "actors/store/job_store.hpp"
#include "actors/store/packing.hpp"
#include "actors/store/sqlite_store.hpp"
#include "actors/store/transitions.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::store {

namespace {

audit_phase after(audit_phase it) {
  switch (it) {
  case phase_links:
    return phase_named;
  case phase_named:
    return phase_jobs;
  case phase_jobs:
    return phase_drafts;
  case phase_drafts:
    return phase_limits;
  case phase_limits:
    return phase_heads;
  case phase_heads:
    return phase_lists;
  case phase_lists:
    return phase_counters;
  case phase_counters:
    return phase_held;
  case phase_held:
    return phase_tallies;
  case phase_tallies:
    return phase_records;
  case phase_records:
    return phase_answers;
  default:
    return phase_end;
  }
}

} // namespace

std::int64_t number_in(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

sqlite_audit::sqlite_audit(sqlite_db& db, sqlite_transaction& in,
                           const audit_request& request,
                           const store_options& options)
  : db_{db}, in_{in}, flow_{in.rows().flow()}, request_{request},
    options_{options}, now_{in.now()} {}

audit_result sqlite_audit::run() {
  const auto at = static_cast<audit_phase>(request_.cursor.front());
  const auto position = request_.cursor.substr(1);
  switch (at) {
  case phase_links:
    links(position);
    break;
  case phase_named:
    named(position);
    break;
  case phase_jobs:
    jobs(number_in(position));
    break;
  case phase_drafts:
    drafts(number_in(position));
    break;
  case phase_limits:
    limits(position);
    break;
  case phase_heads:
    heads(position);
    break;
  case phase_lists:
    lists(position);
    break;
  case phase_counters:
    counters();
    break;
  case phase_held:
    held();
    break;
  case phase_tallies:
    tallies();
    break;
  case phase_records:
    records(number_in(position));
    break;
  case phase_answers:
    answers(number_in(position));
    break;
  case phase_end:
    break;
  }
  return std::move(out_);
}

/// @return whether it is to be mended
bool sqlite_audit::find(const char* invariant, std::string subject,
                        std::string detail) {
  out_.findings.push_back(
    {invariant, std::move(subject), std::move(detail), request_.repair});
  return request_.repair;
}

void sqlite_audit::go_on(char at, std::string position, bool at_end) {
  const auto here = static_cast<audit_phase>(at);
  const auto next = at_end ? after(here) : here;
  if (next == phase_end)
    return;
  out_.next_cursor = std::string(1, next);
  if (!at_end)
    out_.next_cursor += position;
}

// -- jobs ---------------------------------------------------------------------

void sqlite_audit::jobs(std::int64_t after_seq) {
  std::vector<job_row> rows;
  {
    statement query{db_,
                    "SELECT seq, id, queue, grp, priority, state, lease_until,"
                    " finished_at, coalesce(batch, ''),"
                    " coalesce(unique_key, ''), live,"
                    " coalesce(body, x''), typeof(state), score, run_at, node"
                    " FROM job"
                    " LEFT JOIN draft USING(seq)"
                    " WHERE seq > ?1 ORDER BY seq LIMIT ?2"};
    auto found = query.start(after_seq, request_.max);
    while (found.next()) {
      auto& it = rows.emplace_back();
      it.seq = found.number(0);
      it.id = found.text(1);
      it.queue = found.text(2);
      it.group = found.text(3);
      it.priority = found.number(4);
      it.state = found.number(5);
      it.lease_until = found.number(6);
      it.finished_at = found.number(7);
      it.batch = found.text(8);
      it.unique_key = found.text(9);
      it.readable = it.state >= 0 && it.state < std::int64_t{job_state_count}
                    && found.text(12) == "integer"
                    && unpack_live(found.blob(10), it.job)
                    && unpack_draft(found.blob(11), it.job);
      it.score = found.number(13);
      it.job.run_at = found.number(14);
      it.job.node = found.text(15);
      it.job.state = static_cast<job_state>(it.state);
    }
  }
  for (const auto& it : rows)
    check(it);
  if (!rows.empty())
    indexes(after_seq, rows.back().seq);
  out_.looked_at += rows.size();
  go_on(phase_jobs, rows.empty() ? "" : std::to_string(rows.back().seq),
        rows.size() < request_.max);
}

void sqlite_audit::check(const job_row& it) {
  if (!it.readable || is_of_two(it)) {
    if (find("job", it.id,
             it.readable ? "its row belongs to another job"
                         : "it cannot be read"))
      in_.bury(it.seq);
    return;
  }
  check_columns(it);
  check_times(it);
  check_lease(it);
  check_place(it);
  check_batch_of(it);
  check_pending(it.seq, it.job, static_cast<job_state>(it.state));
}

/// A row and a draft that were put together, while the draft's job has a row
/// of its own: nobody knows which half of which is right.
bool sqlite_audit::is_of_two(const job_row& it) {
  if (it.id == it.job.id)
    return false;
  statement other{db_, "SELECT 1 FROM job WHERE id = ?1"};
  auto row = other.start(it.job.id);
  return row.next();
}

/// The columns that are searched are those of the job.
void sqlite_audit::check_columns(const job_row& it) {
  const auto& job = it.job;
  const bool same = it.id == job.id && it.queue == job.queue
                    && it.group == job.concurrency_key
                    && it.priority == lane_number(job) && it.batch == job.batch
                    && it.unique_key == job.unique_key;
  if (same || !find("index", job.id, "it is not found by what it is"))
    return;
  const auto or_null = [](const std::string& text) {
    return text.empty() ? std::optional<std::string_view>{}
                        : std::optional<std::string_view>{text};
  };
  // A key that another job holds by now stays its.
  statement mend{db_, "UPDATE OR IGNORE job SET id = ?2, queue = ?3, grp = ?4,"
                      " priority = ?5, batch = ?6, unique_key = ?7"
                      " WHERE seq = ?1"};
  mend.run(it.seq, job.id, job.queue, job.concurrency_key, lane_number(job),
           or_null(job.batch), or_null(job.unique_key));
}

void sqlite_audit::check_times(const job_row& it) {
  const auto state = static_cast<job_state>(it.state);
  const bool ended = is_terminal(state);
  if (ended != (it.finished_at > 0)
      && find("finished", it.id,
              ended ? "nobody knows when it ended" : "it has not ended")) {
    statement mend{db_, "UPDATE job SET finished_at = ?2 WHERE seq = ?1"};
    mend.run(it.seq, ended ? now_ : 0);
  }
  if (it.job.publishing && state != job_state::running
      && find("publishing", it.id, "it is committed and does not run")) {
    auto mended = it.job;
    mended.publishing = false;
    mended.manifest.clear();
    const auto live = pack_live(mended);
    statement mend{db_, "UPDATE job SET live = ?2 WHERE seq = ?1"};
    mend.run(it.seq, blob_view{live});
  }
}

void sqlite_audit::drafts(std::int64_t after_seq) {
  std::int64_t last = after_seq;
  std::int64_t count = 0;
  std::vector<std::int64_t> orphans;
  {
    statement query{db_, "SELECT seq, EXISTS(SELECT 1 FROM job"
                         " WHERE job.seq = draft.seq) FROM draft"
                         " WHERE seq > ?1 ORDER BY seq LIMIT ?2"};
    auto found = query.start(after_seq, request_.max);
    for (; found.next(); ++count) {
      last = found.number(0);
      if (found.number(1) == 0)
        orphans.push_back(last);
    }
  }
  for (const auto seq : orphans)
    if (find("orphan", std::to_string(seq), "a draft without its job"))
      restore(seq);
  out_.looked_at += std::uint64_t(count);
  go_on(phase_drafts, std::to_string(last), count < request_.max);
}

// -- counters -----------------------------------------------------------------

void sqlite_audit::counters() {
  struct wrong {
    std::string queue;
    std::int64_t state, counted;
  };
  std::vector<wrong> found;
  {
    statement query{db_, "SELECT queue, state, total(counted), total(kept)"
                         " FROM (SELECT queue, state, count(*) AS counted,"
                         " 0 AS kept FROM job GROUP BY queue, state"
                         " UNION ALL SELECT queue, state, 0, jobs FROM depth)"
                         " GROUP BY queue, state"
                         " HAVING total(counted) <> total(kept)"};
    auto row = query.start();
    while (row.next())
      found.push_back({std::string{row.text(0)}, row.number(1), row.number(2)});
  }
  statement mend{db_, "INSERT OR REPLACE INTO depth VALUES(?1, ?2, ?3)"};
  for (const auto& it : found)
    if (find("counter", it.queue,
             "of state " + std::to_string(it.state) + " there are "
               + std::to_string(it.counted)))
      mend.run(it.queue, it.state, it.counted);
  go_on(phase_counters, "", true);
}

void sqlite_audit::held() {
  struct wrong {
    std::string key;
    std::int64_t counted;
  };
  std::vector<wrong> found;
  {
    statement query{db_, "SELECT grp, total(counted), total(kept) FROM"
                         " (SELECT grp, count(*) AS counted, 0 AS kept"
                         " FROM job INDEXED BY job_leased"
                         " WHERE lease_until > 0 AND grp <> ''"
                         " AND EXISTS(SELECT 1 FROM flow) GROUP BY grp"
                         " UNION ALL SELECT grp, 0, jobs FROM held)"
                         " GROUP BY grp HAVING total(counted) <> total(kept)"};
    auto row = query.start();
    while (row.next())
      found.push_back({std::string{row.text(0)}, row.number(1)});
  }
  statement mend{db_, "INSERT OR REPLACE INTO held VALUES(?1, ?2)"};
  statement drop{db_, "DELETE FROM held WHERE jobs = 0"};
  statement let_go{db_, "UPDATE head SET parked = 0"
                        " WHERE parked = 1 AND grp = ?1"};
  for (const auto& it : found)
    if (find("group", it.key, std::to_string(it.counted) + " of it run")) {
      mend.run(it.key, it.counted);
      let_go.run(it.key);
    }
  if (!found.empty() && request_.repair)
    drop.run();
  go_on(phase_held, "", true);
}

result<audit_result> sqlite_store::audit(const audit_request& request) {
  if (request.cursor.empty())
    return audit_file(*db_, request);
  in_.begin(request.repair);
  auto found = sqlite_audit{*db_, in_, request, options_}.run();
  if (auto done = in_.end(); !done)
    return done.error();
  return found;
}

} // namespace troupe::store
