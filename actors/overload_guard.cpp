#include "actors/overload_guard.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::actors {

namespace {

using namespace std::chrono_literals;

constexpr auto measure_every = 250ms;
constexpr double longest_wait_s = 60;
/// Of jobs that somebody waits for, between two looks at a queue that is late.
constexpr std::uint64_t urgent_per_look = 64;

std::uint32_t whole_seconds(double wait) {
  return static_cast<std::uint32_t>(
    std::ceil(std::clamp(wait, 1.0, longest_wait_s)));
}

} // namespace

bool overload_guard::wants_look(clock::time_point now) const {
  return is_on()
         && (looked_at_ == clock::time_point{}
             || now - looked_at_ >= measure_every);
}

void overload_guard::look(std::span<const store::queue_depth> depths,
                          clock::time_point now) {
  looked_at_ = now;
  for (auto& [queue, it] : lines_) {
    it.queued = 0;
    it.oldest_age_s = 0;
    it.urgent = 0;
  }
  for (const auto& depth : depths) {
    auto& it = lines_[depth.queue];
    it.queued =
      depth.by_state[static_cast<std::size_t>(store::job_state::queued)];
    it.oldest_age_s = static_cast<double>(depth.oldest_age_ms) / 1000;
  }
}

void overload_guard::note_end(const std::string& queue, clock::time_point now) {
  if (is_on())
    lines_[queue].ended.count(now);
}

std::uint32_t overload_guard::refuse(const std::string& queue,
                                     std::uint64_t jobs, clock::time_point now,
                                     bool urgent) {
  if (!is_on())
    return 0;
  auto& it = lines_[queue];
  const auto rate = it.ended.per_s(now);
  const auto then = static_cast<double>(it.queued + jobs);
  const auto most = static_cast<double>(limits_.max_depth);
  if (most > 0 && then > most)
    return whole_seconds(rate > 0 ? (then - most) / rate : 1);
  if (const auto age = limits_.max_age_s; age > 0) {
    // Jobs that have not waited yet tell nothing of how long others will.
    const bool waits = it.oldest_age_s >= age / 4;
    const auto wait = rate > 0 && waits ? then / rate : 0;
    const bool late = it.oldest_age_s >= age || wait > age;
    if (late && (!urgent || it.urgent + jobs > urgent_per_look))
      return whole_seconds(std::max(wait, it.oldest_age_s) - age);
  }
  it.urgent += urgent ? jobs : 0;
  it.queued += jobs;
  return 0;
}

} // namespace troupe::actors
