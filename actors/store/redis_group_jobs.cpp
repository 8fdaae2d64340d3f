#include "actors/store/packing.hpp"
#include "actors/store/redis_group.hpp"
#include "actors/store/redis_reply.hpp"

/// A group as a transaction: jobs, unique keys and answers.
namespace troupe::store {

bool redis_group::read_now() {
  if (failure_)
    return false;
  if (auto done = read(); !done)
    failure_ = done.error();
  return !failure_;
}

void redis_group::prefetch(std::span<const std::string> ids) {
  for (const auto& id : ids)
    need_job(id);
  read_now();
}

found_job redis_group::find(const std::string& id) {
  auto known = entries_.find(id);
  if (known == entries_.end()) {
    need_job(id);
    if (!read_now())
      return {nullptr, errc::unavailable};
    known = entries_.find(id);
  }
  auto& it = known->second;
  if (it.error != errc::none)
    return {nullptr, it.error};
  return {&it.record.job, errc::none};
}

void redis_group::save(job& changed, job_state before) {
  this->changed(at(changed.id), before);
}

void redis_group::guard(const job& read) {
  at(read.id).is_guarded = true;
}

bool redis_group::number(std::size_t jobs) {
  if (sequences_left_ < jobs) {
    need_room(jobs);
    if (!read_now())
      return false;
  }
  return sequences_left_ >= jobs;
}

bool redis_group::has_room_for(std::size_t jobs, bool promised) {
  if (!number(jobs) || !has_room)
    return false;
  const auto after = waiting_ + static_cast<std::int64_t>(jobs);
  return promised || after <= static_cast<std::int64_t>(options_.max_queued);
}

job* redis_group::insert(job added, bool promised) {
  if (!has_room_for(1, promised))
    return nullptr;
  auto& it = entries_[added.id];
  it.record = {std::move(added), ++sequence_, 0, 0};
  it.error = errc::none;
  --sequences_left_;
  adds_ = true;
  // As if it had been terminal: it takes its key and waits.
  changed(it, job_state::cancelled);
  return &it.record.job;
}

void redis_group::bury(std::string_view id, const job_draft& known,
                       std::string_view rank) {
  auto& it = at(id);
  const auto legible = std::move(it.record.job);
  job dead;
  static_cast<job_draft&>(dead) = known;
  dead.id = id;
  dead.created_at = dead.run_at = now_;
  if (legible.id == id) {
    dead.type = legible.type;
    dead.owner = legible.owner;
    dead.batch = legible.batch;
    if (!legible.unique_key.empty() && holder_of(legible.unique_key) == id)
      dead.unique_key = legible.unique_key;
  }
  const auto sequence = ordered_in(rank.substr(8));
  it.was = {true, job_state::queued, now_, 0, 0, sequence, score_in(rank)};
  it.record.sequence = sequence;
  it.record.score = it.was.score;
  it.error = errc::none;
  give_up(dead, {"corrupt", "what was stored of it cannot be read", false, 0},
          now_);
  it.record.job = std::move(dead);
  changed(it, job_state::queued);
}

void redis_group::erase(const job& gone) {
  auto& it = at(gone.id);
  if (it.was.present) {
    leave(it, lane_of(gone));
    // What is purged still counts in its batch.
    if (!gone.batch.empty())
      changes.count(redis_key::tallies, state_prefix(it.was.state) + gone.batch,
                    1);
  }
  if (it.was.present && !gone.batch.empty())
    changes.remove(redis_key::batches, batch_prefix(gone.batch)
                                         + ordered(it.was.sequence) + gone.id);
  if (it.was.lease_until != 0)
    changes.remove(redis_key::leases, gone.id);
  it.was = {};
  it.error = errc::not_found;
  it.dirty = true;
}

std::string redis_group::holder_of(const std::string& unique_key) {
  if (!holders_.contains(unique_key)) {
    need_holder(unique_key);
    if (!read_now())
      return {};
  }
  return holders_.at(unique_key).now;
}

std::optional<kept_answer> redis_group::kept(const std::string& scope) {
  if (!answers_.contains(scope)) {
    need_answer(scope);
    if (!read_now())
      return {};
  }
  const auto& known = answers_.at(scope).known;
  if (known.expiry <= now_)
    return {};
  return kept_answer{known.body_hash, known.packed};
}

void redis_group::keep(const std::string& scope, kept_answer answer) {
  if (!answers_.contains(scope)) {
    need_answer(scope);
    if (!read_now())
      return;
  }
  auto& it = answers_.at(scope);
  it.known = {now_ + idempotency_ms, std::move(answer.body_hash),
              std::move(answer.bytes)};
  it.dirty = true;
}

} // namespace troupe::store
