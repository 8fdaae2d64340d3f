#include "actors/lease_table.hpp"

namespace troupe::actors {

void lease_table::join(std::shared_ptr<lease_board> board, stall_rule stall) {
  board_ = std::move(board);
  stall_ = std::move(stall);
}

std::chrono::milliseconds lease_table::stall_of(std::string_view type) const {
  return stall_ ? stall_(type) : std::chrono::milliseconds{0};
}

void lease_table::add(const store::job& job,
                      std::chrono::steady_clock::time_point now, bool silent) {
  auto& entry = leases_[job.id];
  entry = {};
  entry.fence = job.fence;
  entry.queue = job.queue;
  entry.type = job.type;
  entry.since = now;
  board_->hold({job.id, job.fence}, now,
               silent ? std::chrono::milliseconds{0} : stall_of(job.type));
}

void lease_table::add(const store::held_lease& held, std::string queue,
                      std::string type,
                      std::chrono::steady_clock::time_point now) {
  auto& entry = leases_[held.id];
  entry = {};
  entry.fence = held.fence;
  entry.queue = std::move(queue);
  entry.type = std::move(type);
  entry.since = now;
  board_->hold(held, now, stall_of(entry.type));
}

lease* lease_table::find(const std::string& id, const store::fence& fence) {
  auto* entry = find(id);
  return entry && entry->fence == fence ? entry : nullptr;
}

lease* lease_table::find(const std::string& id) {
  const auto at = leases_.find(id);
  return at == leases_.end() ? nullptr : &at->second;
}

void lease_table::erase(const std::string& id) {
  const auto at = leases_.find(id);
  if (at == leases_.end())
    return;
  board_->drop(id, at->second.fence);
  leases_.erase(at);
}

void lease_table::note(const std::string& id, std::uint64_t epoch,
                       media::progress now) {
  auto* entry = find(id);
  if (!entry || entry->fence.epoch != epoch)
    return;
  entry->progress = std::move(now);
  entry->unsaved = true;
}

void lease_table::show_live(store::job& job) const {
  const auto at = leases_.find(job.id);
  if (at == leases_.end() || at->second.fence != job.fence
      || at->second.progress.stage.empty() || store::is_terminal(job.state))
    return;
  job.progress = at->second.progress;
}

std::vector<store::held_lease> lease_table::held() const {
  std::vector<store::held_lease> all;
  all.reserve(leases_.size());
  for (const auto& [id, entry] : leases_)
    all.push_back({id, entry.fence});
  return all;
}

std::vector<store::held_lease>
lease_table::held_by(std::string_view queue) const {
  std::vector<store::held_lease> some;
  for (const auto& [id, entry] : leases_)
    if (entry.queue == queue)
      some.push_back({id, entry.fence});
  return some;
}

std::map<std::string_view, std::chrono::steady_clock::time_point>
lease_table::oldest() const {
  std::map<std::string_view, std::chrono::steady_clock::time_point> out;
  for (const auto& [id, entry] : leases_) {
    const auto [at, added] = out.try_emplace(entry.queue, entry.since);
    if (!added)
      at->second = std::min(at->second, entry.since);
  }
  return out;
}

std::optional<store::operation>
lease_table::take_unsaved(const std::string& id, const store::fence& fence) {
  auto* entry = find(id, fence);
  if (!entry || !std::exchange(entry->unsaved, false))
    return std::nullopt;
  return store::checkpoint_op{id, fence, entry->progress, {}};
}

std::vector<store::operation> lease_table::take_unsaved() {
  std::vector<store::operation> ops;
  for (auto& [id, entry] : leases_) {
    if (!std::exchange(entry.unsaved, false))
      continue;
    ops.emplace_back(store::checkpoint_op{id, entry.fence, entry.progress, {}});
  }
  return ops;
}

} // namespace troupe::actors
