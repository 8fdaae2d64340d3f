#include "actors/store/audit_rules.hpp"
#include "actors/store/audit_ties.hpp"
#include "actors/store/dependants.hpp"
#include "actors/store/packing.hpp"
#include "actors/store/sqlite_audit.hpp"
#include "actors/store/transitions.hpp"

#include <algorithm>

/// What belongs together: a job's row, its lease and its place; records and
/// what names them; answers and when they are forgotten.
namespace troupe::store {

// -- jobs ---------------------------------------------------------------------

void sqlite_audit::check_lease(const job_row& it) {
  const bool leased = is_leased(it.job.state);
  const char* wrong = "";
  timestamp_ms until = leased ? now_ : 0;
  if (leased != (it.lease_until > 0)) {
    wrong =
      leased ? "it runs without a lease" : "it has a lease and does not run";
  } else if (leased && is_endless(it.lease_until, now_)) {
    wrong = "its lease does not end";
    until = now_ + options_.lease_ms;
  } else if (leased && it.job.node.empty() && it.lease_until > now_) {
    wrong = "nobody holds its lease";
  }
  if (*wrong == 0 || !find("lease", it.id, wrong))
    return;
  statement mend{db_, "UPDATE job SET lease_until = ?2 WHERE seq = ?1"};
  mend.run(it.seq, until);
}

/// When it is ready and its place in the order tell of each other. Of two that
/// do not, the earlier stands: it is not to wait for longer than either says.
void sqlite_audit::check_place(const job_row& it) {
  if (!is_misplaced(it.job, it.score)
      || !find("score", it.id, "its place is not that of its time"))
    return;
  auto mended = it.job;
  const auto told = ready_of(it.score, lane_number(it.job), options_.ageing_ms);
  if (it.job.deadline_ms == 0 && told < mended.run_at
      && told >= mended.created_at)
    mended.run_at = told;
  statement mend{db_, "UPDATE job SET run_at = ?2, score = ?3 WHERE seq = ?1"};
  mend.run(it.seq, mended.run_at, score_of(mended, options_.ageing_ms));
}

/// The batch of a job that has not ended is there.
void sqlite_audit::check_batch_of(const job_row& it) {
  const auto& batch = it.job.batch;
  if (batch.empty() || is_terminal(it.job.state)
      || exists("SELECT 1 FROM record WHERE kind = 98 AND key = ?1", batch))
    return;
  const bool told =
    std::ranges::any_of(out_.findings, [&](const audit_finding& one) {
      return one.subject == batch;
    });
  if (!told && find("batch", batch, "it is gone, its jobs are not"))
    rebuild_batch(batch, it.job.owner, in_);
}

bool sqlite_audit::exists(const char* sql, const std::string& key) {
  statement query{db_, sql};
  auto row = query.start(key);
  return row.next();
}

/// A draft of which the job is gone tells that it was there: nobody forgets
/// the one without the other.
void sqlite_audit::restore(std::int64_t seq) {
  std::string body;
  {
    statement query{db_, "SELECT body FROM draft WHERE seq = ?1"};
    auto row = query.start(seq);
    if (row.next())
      body = row.blob(0);
  }
  statement drop{db_, "DELETE FROM draft WHERE seq = ?1"};
  drop.run(seq);
  job lost;
  if (!unpack_draft(body, lost) || lost.id.empty() || in_.find(lost.id))
    return;
  if (const auto* dead = in_.insert(corrupt_job(std::move(lost), now_), true))
    job_ended(*dead, in_);
}

// -- records ------------------------------------------------------------------

void sqlite_audit::check_ties(const record_row& it) {
  const auto link = link_of(it.kind, it.key, it.body);
  const auto owner = owner_of(it.kind, it.key, it.body);
  bool listed = !link;
  if (link) {
    statement query{db_, "SELECT 1 FROM link WHERE kind = ?1 AND owner = ?2"
                         " AND member = ?3"};
    auto row = query.start(static_cast<std::int64_t>(link->kind), link->owner,
                           link->member);
    listed = row.next();
  }
  const bool owned =
    !owner.any() || exists("SELECT 1 FROM job WHERE id = ?1", owner.job)
    || exists("SELECT 1 FROM record WHERE kind = 98 AND key = ?1", owner.batch);
  const auto fault = fault_of(it.kind, it.body, listed, owned);
  if (fault == record_fault::none
      || !find(word_of(fault), it.key, words_of(fault)))
    return;
  if (fault == record_fault::unknown)
    out_.findings.back().repaired = false;
  else
    mend_record(fault, it.kind, it.key, in_);
}

// -- answers ------------------------------------------------------------------

void sqlite_audit::answers(std::int64_t after_row) {
  struct wrong {
    std::int64_t row;
    std::string scope;
    bool readable;
  };
  std::vector<wrong> found;
  std::uint32_t count = 0;
  auto last = after_row;
  {
    statement query{db_, "SELECT rowid, scope, created_at, job FROM answer"
                         " WHERE rowid > ?1 ORDER BY rowid LIMIT ?2"};
    auto row = query.start(last, std::int64_t{request_.max});
    for (; row.next(); ++count) {
      last = row.number(0);
      const bool readable = is_answer(row.blob(3));
      if (!readable || row.number(2) + idempotency_ms > latest_expiry(now_))
        found.push_back({last, std::string{row.text(1)}, readable});
    }
  }
  statement drop{db_, "DELETE FROM answer WHERE rowid = ?1"};
  statement mend{db_, "UPDATE answer SET created_at = ?2 WHERE rowid = ?1"};
  for (const auto& it : found) {
    if (!find("answer", it.scope,
              it.readable ? "it is never forgotten" : "it cannot be read"))
      continue;
    if (it.readable)
      mend.run(it.row, now_);
    else
      drop.run(it.row);
  }
  out_.looked_at += count;
  go_on(phase_answers, std::to_string(last), count < request_.max);
}

} // namespace troupe::store
