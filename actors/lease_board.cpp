#include "actors/lease_board.hpp"

#include <algorithm>
#include <utility>

namespace troupe::actors {

lease_board::entry* lease_board::find(const std::string& id,
                                      const store::fence& fence) {
  const auto at = leases_.find(id);
  return at != leases_.end() && at->second.fence == fence ? &at->second
                                                          : nullptr;
}

void lease_board::hold(const store::held_lease& lease, clock::time_point now,
                       clock::duration stall) {
  const std::lock_guard guarded{mutex_};
  if (!find(lease.id, lease.fence))
    leases_.insert_or_assign(lease.id, entry{lease.fence, stall, now});
}

void lease_board::drop(const std::string& id, const store::fence& fence) {
  const std::lock_guard guarded{mutex_};
  const auto at = leases_.find(id);
  if (at != leases_.end() && at->second.fence == fence)
    leases_.erase(at);
}

void lease_board::hear(const std::string& id, const store::fence& fence,
                       clock::time_point now) {
  const std::lock_guard guarded{mutex_};
  if (auto* it = find(id, fence))
    it->heard = std::max(it->heard, now);
}

void lease_board::rest(const std::string& id, const store::fence& fence) {
  const std::lock_guard guarded{mutex_};
  if (auto* it = find(id, fence))
    it->stall = {};
}

lease_board::census lease_board::count(clock::time_point now) {
  const std::lock_guard guarded{mutex_};
  census all;
  all.alive.reserve(leases_.size());
  for (auto& [id, it] : leases_) {
    const bool silent = it.stall.count() > 0 && now - it.heard > it.stall;
    if (!it.stalled && !silent)
      all.alive.push_back({id, it.fence});
    else if (!std::exchange(it.stalled, true))
      all.stalled.push_back({id, it.fence});
  }
  return all;
}

} // namespace troupe::actors
