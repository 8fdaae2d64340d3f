#include "actors/store/sqlite_store.hpp"

#include "config/fault_points.hpp"

#include "actors/store/packing.hpp"
#include "actors/store/sqlite_schema.hpp"

#include <chrono>

namespace troupe::store {

namespace {

constexpr std::string_view file_scheme = "sqlite:";

errc errc_of(const failure& why) {
  return static_cast<errc>(why.code.value());
}

/// While it lives, commits are written to the log but not synced to the disk:
/// they are as durable as the next one that is, in the log's order.
class unsynced {
public:
  explicit unsynced(sqlite_db& db) : db_(db) {
    db_.run("PRAGMA synchronous = NORMAL");
  }
  ~unsynced() {
    db_.run("PRAGMA synchronous = FULL");
  }
  unsynced(const unsynced&) = delete;
  unsynced& operator=(const unsynced&) = delete;

private:
  sqlite_db& db_;
};

} // namespace

sqlite_store::sqlite_store(std::unique_ptr<sqlite_db> db, store_options options,
                           durability level)
  : db_{std::move(db)}, options_{std::move(options)}, level_{level},
    rows_{*db_, options_.ageing_ms},
    answer_{*db_, "SELECT body_hash, job FROM answer"
                  " WHERE scope = ?1 AND created_at > ?2"},
    keep_answer_{*db_, "INSERT OR REPLACE INTO answer VALUES(?1, ?2, ?3, ?4)"},
    drop_answers_{*db_, "DELETE FROM answer WHERE rowid IN (SELECT rowid"
                        " FROM answer INDEXED BY answer_age"
                        " WHERE created_at <= ?1 LIMIT ?2)"},
    due_{*db_, "SELECT seq FROM job INDEXED BY job_due WHERE state = 0"
               " AND run_at <= ?1 ORDER BY run_at, seq LIMIT ?2"},
    expired_{*db_, "SELECT seq FROM job INDEXED BY job_leased"
                   " WHERE lease_until > 0 AND lease_until <= ?1"
                   " ORDER BY lease_until, seq LIMIT ?2"},
    leases_{*db_, "SELECT seq FROM job INDEXED BY job_leased"
                  " WHERE lease_until > 0 AND node = ?1"},
    finished_{*db_, "SELECT seq FROM job INDEXED BY job_finished"
                    " WHERE finished_at > 0 AND state = ?1"
                    " AND finished_at <= ?2 ORDER BY finished_at, seq"
                    " LIMIT ?3"},
    first_due_{*db_, "SELECT run_at FROM job INDEXED BY job_due"
                     " WHERE state = 0 ORDER BY run_at LIMIT 1"},
    first_lease_{*db_, "SELECT lease_until FROM job INDEXED BY job_leased"
                       " WHERE lease_until > 0 ORDER BY lease_until LIMIT 1"},
    clock_{*db_, "SELECT alive, grace_until FROM clock"},
    write_clock_{*db_, "UPDATE clock SET alive = ?1, grace_until = ?2"},
    list_all_{*db_, "SELECT seq, state, score, run_at, lease_until,"
                    " finished_at, node, live, body"
                    " FROM job CROSS JOIN draft USING(seq) WHERE seq < ?1"
                    " ORDER BY seq DESC"},
    list_state_{*db_, "SELECT seq, state, score, run_at, lease_until,"
                      " finished_at, node, live, body"
                      " FROM job INDEXED BY job_state"
                      " CROSS JOIN draft USING(seq)"
                      " WHERE seq < ?1 AND state = ?2 ORDER BY seq DESC"},
    list_batch_{*db_, "SELECT seq, state, score, run_at, lease_until,"
                      " finished_at, node, live, body"
                      " FROM job INDEXED BY job_batch"
                      " CROSS JOIN draft USING(seq)"
                      " WHERE seq < ?1 AND batch = ?2 ORDER BY seq DESC"} {}

timestamp_ms sqlite_store::now() const {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  const auto offset = options_.clock_offset_ms ? options_.clock_offset_ms() : 0;
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count()
         + offset;
}

double sqlite_store::random() {
  return std::uniform_real_distribution<double>{0, 1}(generator_);
}

// -- operations ---------------------------------------------------------------

result<std::vector<applied>>
sqlite_store::apply(std::span<const operation> ops) {
  std::vector<applied> answers;
  answers.reserve(ops.size());
  rows_.begin(true);
  const auto at = now();
  for (const auto& op : ops) {
    if (db_->failed())
      break;
    answers.push_back(
      std::visit([&](const auto& one) { return perform(one, at); }, op));
  }
  if (auto done = rows_.end(); !done)
    return done.error();
  return answers;
}

applied sqlite_store::known(result<stored_job> found) {
  if (!found)
    return {errc_of(found.error()), false, false, {}};
  return {errc::none, false, false, std::move(found->job)};
}

applied sqlite_store::perform(const submit_op& op, timestamp_ms now) {
  const auto& [scope, body_hash] = op.idempotency;
  if (scope.empty())
    return add(op.draft, now);
  {
    auto row = answer_.start(scope, now - idempotency_ms);
    if (row.next()) {
      if (row.text(0) != body_hash)
        return {errc::idempotency_mismatch, false, false, {}};
      applied again{errc::none, false, true, {}};
      if (!unpack_job(row.blob(1), again.job))
        return {errc::corrupt, false, false, {}};
      return again;
    }
  }
  auto answer = add(op.draft, now);
  if (answer.error == errc::none) {
    const auto packed = pack_job(answer.job);
    keep_answer_.run(scope, body_hash, now, blob_view{packed});
  }
  return answer;
}

applied sqlite_store::add(const job_draft& draft, timestamp_ms now) {
  if (!draft.unique_key.empty())
    if (const auto holder = rows_.holder_of(draft.unique_key); holder != 0)
      return known(rows_.load(holder));
  const auto waiting = static_cast<std::uint64_t>(rows_.waiting());
  if (waiting >= options_.max_queued) {
    auto before = known(rows_.load(draft.id));
    if (before.error == errc::not_found)
      before.error = errc::queue_full;
    return before;
  }
  auto added = make_job(draft, now, level_);
  if (!rows_.insert(added))
    return known(rows_.load(draft.id));
  return {errc::none, true, false, std::move(added)};
}

template <class Step>
applied sqlite_store::change(const std::string& id, Step step) {
  auto found = rows_.load(id);
  if (!found)
    return known(std::move(found));
  const auto lease_until = found->job.lease_until;
  const verdict said = step(found->job);
  if (said.changed)
    rows_.save(*found);
  else if (said.stored && found->job.lease_until != lease_until)
    rows_.save_lease(found->seq, found->job.lease_until);
  else if (said.stored)
    rows_.save_live(*found);
  return {said.error, said.changed, false, std::move(found->job)};
}

applied sqlite_store::perform(const checkpoint_op& op, timestamp_ms) {
  return change(op.id, [&](job& it) { return checkpoint(it, op); });
}

applied sqlite_store::perform(const commit_op& op, timestamp_ms) {
  return change(op.id, [&](job& it) { return commit(it, op); });
}

applied sqlite_store::perform(const succeed_op& op, timestamp_ms now) {
  return change(op.id, [&](job& it) { return succeed(it, op, now); });
}

applied sqlite_store::perform(const fail_op& op, timestamp_ms now) {
  return change(op.id,
                [&](job& it) { return fail_attempt(it, op, now, random()); });
}

applied sqlite_store::perform(const release_op& op, timestamp_ms now) {
  return change(op.id, [&](job& it) { return release(it, op, now); });
}

applied sqlite_store::perform(const cancel_op& op, timestamp_ms now) {
  return change(op.id, [&](job& it) { return cancel(it, now); });
}

applied sqlite_store::perform(const retry_op& op, timestamp_ms now) {
  return change(op.id, [&](job& it) -> verdict {
    const bool taken = is_terminal(it.state) && !it.unique_key.empty()
                       && rows_.holder_of(it.unique_key) != 0;
    if (taken)
      return {errc::invalid_state};
    return retry(it, now);
  });
}

applied sqlite_store::perform(const purge_op& op, timestamp_ms) {
  auto found = rows_.load(op.id);
  if (!found)
    return known(std::move(found));
  if (!is_terminal(found->job.state))
    return {errc::invalid_state, false, false, std::move(found->job)};
  rows_.erase(found->seq);
  return {errc::none, true, false, {}};
}

// -- leases -------------------------------------------------------------------

result<std::vector<job>> sqlite_store::claim(const claim_request& request) {
  std::vector<job> leased;
  // A machine that loses its power loses the attempt with the claim: the job
  // is then ready, as it was.
  const unsynced lazily{*db_};
  rows_.begin(true);
  const auto at = now();
  sweep_result due;
  promote_due(at, max_promote, due);
  rows_.ready().flush();
  for (const auto seq : rows_.ready().best(request.queue, request.max)) {
    auto found = rows_.load(seq);
    if (!found) {
      rows_.bury(seq, at);
      continue;
    }
    lease(found->job, request, at);
    rows_.save(*found);
    leased.push_back(std::move(found->job));
  }
  if (auto done = rows_.end(); !done)
    return done.error();
  return leased;
}

errc sqlite_store::renew_one(const held_lease& lease, timestamp_ms until) {
  const auto found = rows_.load(lease.id);
  const bool known = found && is_leased(found->job.state);
  if (!known || (found->job.fence != lease.fence && !TROUPE_WITHOUT(fence)))
    return errc::stale_fence;
  rows_.save_lease(found->seq, until);
  return found->job.state == job_state::cancelling ? errc::invalid_state
                                                   : errc::none;
}

result<std::vector<errc>>
sqlite_store::renew(std::span<const held_lease> leases, std::int64_t lease_ms) {
  std::vector<errc> answers;
  answers.reserve(leases.size());
  rows_.begin(true);
  const auto at = now();
  auto clock = read_clock();
  clock.renewed(at, options_.lease_ms);
  write_clock_.run(clock.alive, clock.grace_until);
  for (const auto& lease : leases)
    answers.push_back(renew_one(lease, at + lease_ms));
  if (auto done = rows_.end(); !done)
    return done.error();
  return answers;
}

// -- reading ------------------------------------------------------------------

result<job> sqlite_store::get(const std::string& id) {
  rows_.begin(false);
  auto found = rows_.load(id);
  if (auto done = rows_.end(); !done)
    return done.error();
  if (!found) {
    auto why = found.error();
    why.detail = id;
    return why;
  }
  return std::move(found->job);
}

// -- opening ------------------------------------------------------------------

result<std::unique_ptr<job_store>>
open_sqlite_store(const store_options& options) {
  const bool file = options.url.starts_with(file_scheme);
  const auto path = file ? options.url.substr(file_scheme.size()) : ":memory:";
  if (path.empty())
    return fail(errc::bad_config, options.url + ": no path");
  auto db = open_job_database(path, static_cast<int>(options.timeout_ms));
  if (!db)
    return db.error();
  std::unique_ptr<job_store> opened = std::make_unique<sqlite_store>(
    std::move(*db), options, file ? durability::disk : durability::memory);
  return opened;
}

} // namespace troupe::store
