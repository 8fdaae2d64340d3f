#include "actors/store/sqlite_store.hpp"

#include "actors/store/operations.hpp"
#include "actors/store/sqlite_schema.hpp"
#include "config/fault_points.hpp"

namespace troupe::store {

namespace {

constexpr std::string_view file_scheme = "sqlite:";

} // namespace

sqlite_store::sqlite_store(std::unique_ptr<sqlite_db> db, store_options options,
                           durability level)
  : transactional_store{std::move(options)}, db_{std::move(db)}, level_{level},
    in_{*db_, options_, level},
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
    finished_{*db_, "SELECT seq, finished_at, id FROM job"
                    " INDEXED BY job_finished"
                    " WHERE finished_at > 0 AND state = ?1"
                    " AND finished_at <= ?2 AND (finished_at, seq) > (?3, ?4)"
                    " ORDER BY finished_at, seq LIMIT ?5"},
    first_due_{*db_, "SELECT run_at FROM job INDEXED BY job_due"
                     " WHERE state = 0 ORDER BY run_at LIMIT 1"},
    first_lease_{*db_, "SELECT lease_until FROM job INDEXED BY job_leased"
                       " WHERE lease_until > 0 ORDER BY lease_until LIMIT 1"},
    clock_{*db_, "SELECT alive, grace_until FROM clock"},
    write_clock_{*db_, "UPDATE clock SET alive = ?1, grace_until = ?2"},
    list_all_{*db_, "SELECT seq, state, score, run_at, lease_until,"
                    " finished_at, node, live, body, id"
                    " FROM job CROSS JOIN draft USING(seq) WHERE seq < ?1"
                    " ORDER BY seq DESC"},
    list_state_{*db_, "SELECT seq, state, score, run_at, lease_until,"
                      " finished_at, node, live, body, id"
                      " FROM job INDEXED BY job_state"
                      " CROSS JOIN draft USING(seq)"
                      " WHERE seq < ?1 AND state = ?2 ORDER BY seq DESC"},
    list_batch_{*db_, "SELECT seq, state, score, run_at, lease_until,"
                      " finished_at, node, live, body, id"
                      " FROM job INDEXED BY job_batch"
                      " CROSS JOIN draft USING(seq)"
                      " WHERE seq < ?1 AND batch = ?2 ORDER BY seq DESC"} {}

// -- operations ---------------------------------------------------------------

result<std::vector<applied>>
sqlite_store::apply(std::span<const operation> ops) {
  std::vector<applied> answers;
  answers.reserve(ops.size());
  in_.begin(true);
  for (const auto& op : ops) {
    if (db_->failed())
      break;
    answers.push_back(perform(op, in_));
  }
  if (auto done = in_.end(); !done)
    return done.error();
  return answers;
}

result<void> sqlite_store::transact(access how, const step& once) {
  in_.begin(how != access::read);
  if (const auto why = once(in_); why != errc::none)
    db_->note(fail(why));
  return in_.end();
}

// -- leases -------------------------------------------------------------------

result<claim_result> sqlite_store::claim(const claim_request& request) {
  claim_result out;
  // A machine that loses its power loses the attempt with the claim: the job
  // is then ready, as it was.
  in_.begin(true, syncing::later);
  const auto at = in_.now();
  sweep_result due;
  promote_due(at, max_promote, due);
  out.promoted = std::move(due.queued);
  rows_.ready().flush();
  rows_.flow().wake(at);
  sqlite_gate gate{rows_.flow(), request.queue, at};
  for (const auto seq : rows_.ready().best(request, gate)) {
    auto found = rows_.load(seq);
    if (!found) {
      in_.bury(seq);
      continue;
    }
    lease(found->job, request, at);
    in_.save_row(*found);
    out.jobs.push_back(std::move(found->job));
  }
  gate.save();
  out.limited = gate.limits();
  if (out.jobs.size() < request.max)
    out.next_at = gate.next_at();
  if (auto done = in_.end(); !done)
    return done.error();
  return out;
}

errc sqlite_store::renew_one(const held_lease& lease, timestamp_ms until) {
  const auto found = rows_.load(lease.id);
  const bool known = found && is_leased(found->job.state);
  if (!known || (found->job.fence != lease.fence && !TROUPE_WITHOUT(fence)))
    return errc::stale_fence;
  rows_.save_lease(found->seq, until);
  return renewed(found->job);
}

result<std::vector<errc>>
sqlite_store::renew(std::span<const held_lease> leases, std::int64_t lease_ms) {
  std::vector<errc> answers;
  answers.reserve(leases.size());
  in_.begin(true);
  const auto at = in_.now();
  auto clock = read_clock();
  clock.renewed(at, options_.lease_ms);
  write_clock_.run(clock.alive, clock.grace_until);
  for (const auto& lease : leases)
    answers.push_back(renew_one(lease, at + lease_ms));
  if (auto done = in_.end(); !done)
    return done.error();
  return answers;
}

// -- reading ------------------------------------------------------------------

result<job> sqlite_store::get(const std::string& id) {
  in_.begin(false);
  auto found = rows_.load(id);
  if (auto done = in_.end(); !done)
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
