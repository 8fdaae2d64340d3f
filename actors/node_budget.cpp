#include "actors/node_budget.hpp"

#include <algorithm>
#include <limits>

namespace troupe::actors {

namespace {

constexpr auto any = std::numeric_limits<std::uint32_t>::max();
/// Sums of shares of cores are not exact.
constexpr double rounding = 1e-6;

template <class T>
std::uint32_t times(T limit, T used, T each) {
  if (limit <= 0 || each <= 0)
    return any;
  if (used >= limit)
    return 0;
  const auto free =
    static_cast<double>(limit - used) / static_cast<double>(each);
  return static_cast<std::uint32_t>(
    std::min(free + rounding, static_cast<double>(any)));
}

std::uint32_t times(const media::job_cost& limit, const media::job_cost& used,
                    const media::job_cost& each) {
  return std::min({times(limit.cpu, used.cpu, each.cpu),
                   times(limit.memory, used.memory, each.memory),
                   times(limit.disk, used.disk, each.disk),
                   times(limit.bandwidth, used.bandwidth, each.bandwidth)});
}

void grow(media::job_cost& sum, const media::job_cost& by) {
  sum.cpu += by.cpu;
  sum.memory += by.memory;
  sum.disk += by.disk;
  sum.bandwidth += by.bandwidth;
}

std::uint64_t less(std::uint64_t from, std::uint64_t what) {
  return from - std::min(from, what);
}

} // namespace

node_budget::share node_budget::sum() const {
  share all;
  for (const auto& [pool, it] : pools_) {
    all.jobs += it.jobs;
    grow(all.cost, it.cost);
  }
  return all;
}

/// What is given out, and what is kept for others than a pool.
node_budget::share node_budget::wanted_beside(const std::string& pool) const {
  auto all = sum();
  if (!reserved_for_.empty() && reserved_for_ != pool) {
    ++all.jobs;
    grow(all.cost, reserved_);
  }
  return all;
}

void node_budget::add(const std::string& pool, const media::job_cost& cost) {
  auto& mine = pools_[pool];
  ++mine.jobs;
  grow(mine.cost, cost);
}

bool node_budget::take(const std::string& pool, const media::job_cost& cost) {
  const std::lock_guard lock{mutex_};
  const auto all = wanted_beside(pool);
  if (all.jobs > 0 && times(limits_, all.cost, cost) == 0)
    return false;
  add(pool, cost);
  if (reserved_for_ == pool)
    reserved_for_.clear();
  return true;
}

void node_budget::take_anyway(const std::string& pool,
                              const media::job_cost& cost) {
  const std::lock_guard lock{mutex_};
  add(pool, cost);
}

bool node_budget::reserve(const std::string& pool,
                          const media::job_cost& cost) {
  const std::lock_guard lock{mutex_};
  if (!reserved_for_.empty() && reserved_for_ != pool)
    return false;
  reserved_for_ = pool;
  reserved_ = cost;
  return true;
}

void node_budget::forgo(const std::string& pool) {
  const std::lock_guard lock{mutex_};
  if (reserved_for_ == pool)
    reserved_for_.clear();
}

void node_budget::give_back(const std::string& pool,
                            const media::job_cost& cost) {
  const std::lock_guard lock{mutex_};
  auto& mine = pools_[pool];
  if (mine.jobs <= 1) {
    mine = {}; // no rounding is left behind
    return;
  }
  --mine.jobs;
  mine.cost.cpu = std::max(0.0, mine.cost.cpu - cost.cpu);
  mine.cost.memory = less(mine.cost.memory, cost.memory);
  mine.cost.disk = less(mine.cost.disk, cost.disk);
  mine.cost.bandwidth = less(mine.cost.bandwidth, cost.bandwidth);
}

void node_budget::reset(const std::string& pool) {
  const std::lock_guard lock{mutex_};
  pools_.erase(pool);
  if (reserved_for_ == pool)
    reserved_for_.clear();
}

std::uint32_t node_budget::fitting(const std::string& pool,
                                   const media::job_cost& cost) const {
  const std::lock_guard lock{mutex_};
  return times(limits_, wanted_beside(pool).cost, cost);
}

void node_budget::set_disk(std::uint64_t bytes) {
  const std::lock_guard lock{mutex_};
  limits_.disk = std::max<std::uint64_t>(1, sum().cost.disk + bytes);
}

media::job_cost node_budget::limits() const {
  const std::lock_guard lock{mutex_};
  return limits_;
}

media::job_cost node_budget::in_use() const {
  const std::lock_guard lock{mutex_};
  return sum().cost;
}

} // namespace troupe::actors
