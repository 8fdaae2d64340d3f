#include "actors/store/redis_pace.hpp"

#include <algorithm>

namespace troupe::store {

namespace {

using namespace std::chrono_literals;

/// Half of what a script may take: others take as long again now and then.
constexpr auto enough = 2500us;
constexpr auto little = 1500us;
constexpr std::size_t more = 16;

} // namespace

void redis_pace::took(std::size_t jobs, span read, span write) noexcept {
  const auto worked = write - read;
  if (worked > enough)
    jobs_ = std::max(fewest, std::min(jobs, jobs_) / 2);
  else if (worked < little && jobs >= jobs_)
    jobs_ = std::min(jobs_per_group, jobs_ + more);
}

} // namespace troupe::store
