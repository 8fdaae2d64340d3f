#include "media/download/host_pauses.hpp"

#include <algorithm>

namespace troupe::media {

void host_pauses::pause(const std::string& host, double seconds,
                        clock::time_point now) {
  if (host.empty() || !(seconds > 0))
    return;
  const std::chrono::duration<double> wait{std::min(seconds, 24 * 3600.0)};
  const auto end = now + std::chrono::duration_cast<clock::duration>(wait);
  const std::lock_guard guarded{mutex_};
  std::erase_if(until_, [now](const auto& one) { return one.second <= now; });
  auto& until = until_[host];
  until = std::max(until, end);
  if (until_.size() > most)
    until_.erase(std::ranges::min_element(
      until_, {}, [](const auto& one) { return one.second; }));
}

double host_pauses::left(const std::string& host, clock::time_point now) {
  const std::lock_guard guarded{mutex_};
  const auto at = until_.find(host);
  if (at == until_.end())
    return 0;
  const std::chrono::duration<double> wait = at->second - now;
  return std::max(0.0, wait.count());
}

} // namespace troupe::media
