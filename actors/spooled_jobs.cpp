#include "actors/spooled_jobs.hpp"

#include "actors/store/operations.hpp"
#include "actors/store/transitions.hpp"

namespace troupe::actors {

std::optional<store::applied>
spooled_jobs::answered(const store::submit_op& op) const {
  const auto& [scope, body_hash] = op.idempotency;
  store::applied known;
  if (const auto at = scopes_.find(scope); at != scopes_.end()) {
    if (at->second.body_hash == body_hash)
      known.job = jobs_.at(at->second.id);
    else
      known.error = store::errc::idempotency_mismatch;
    known.replayed = known.error == store::errc::none;
    return known;
  }
  const auto holder = keys_.find(op.draft.unique_key);
  const auto* job = find(holder == keys_.end() ? op.draft.id : holder->second);
  if (!job)
    return std::nullopt;
  known.job = *job;
  return known;
}

const store::job& spooled_jobs::add(const store::submit_op& op,
                                    timestamp_ms now) {
  auto& job = jobs_[op.draft.id];
  job = store::make_job(store::left_of(op, store::moment_now()), now,
                        store::durability::local);
  if (!op.idempotency.scope.empty())
    scopes_[op.idempotency.scope] = {op.idempotency.body_hash, op.draft.id};
  if (!op.draft.unique_key.empty())
    keys_[op.draft.unique_key] = op.draft.id;
  return job;
}

void spooled_jobs::forget(const store::submit_op& op) {
  if (jobs_.erase(op.draft.id) == 0)
    return;
  scopes_.erase(op.idempotency.scope);
  keys_.erase(op.draft.unique_key);
}

const store::job* spooled_jobs::find(const std::string& id) const {
  const auto at = jobs_.find(id);
  return at == jobs_.end() ? nullptr : &at->second;
}

} // namespace troupe::actors
