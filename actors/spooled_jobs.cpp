#include "actors/spooled_jobs.hpp"

#include "actors/store/transitions.hpp"

namespace troupe::actors {

std::optional<store::applied>
spooled_jobs::answered(const store::submit_op& op) const {
  const auto& [scope, body_hash] = op.idempotency;
  if (const auto at = scopes_.find(scope); at != scopes_.end()) {
    if (at->second.body_hash != body_hash)
      return store::applied{
        store::errc::idempotency_mismatch, false, false, {}};
    return store::applied{store::errc::none, false, true,
                          jobs_.at(at->second.id)};
  }
  if (const auto at = keys_.find(op.draft.unique_key); at != keys_.end())
    return store::applied{store::errc::none, false, false,
                          jobs_.at(at->second)};
  if (const auto* job = find(op.draft.id))
    return store::applied{store::errc::none, false, false, *job};
  return std::nullopt;
}

const store::job& spooled_jobs::add(const store::submit_op& op,
                                    timestamp_ms now) {
  auto& job = jobs_[op.draft.id];
  job = store::make_job(op.draft, now, store::durability::local);
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
