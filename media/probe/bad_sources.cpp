#include "media/probe/bad_sources.hpp"

#include <algorithm>

namespace troupe::media {

bool bad_sources::crashed(const std::string& source, clock::time_point now) {
  const std::lock_guard guarded{mutex_};
  std::erase_if(records_,
                [now](const auto& one) { return one.second.until <= now; });
  auto& it = records_[source];
  const bool bad = ++it.crashes >= budget;
  it.until = now + (bad ? clock::duration{refusal_} : clock::duration{window});
  if (records_.size() > most)
    records_.erase(std::ranges::min_element(
      records_, {}, [](const auto& one) { return one.second.until; }));
  return bad;
}

bool bad_sources::note(const std::string& source, errc end) {
  if (end == errc::none || end == errc::invalid_media)
    read(source);
  return end == errc::crashed && crashed(source);
}

void bad_sources::read(const std::string& source) {
  const std::lock_guard guarded{mutex_};
  records_.erase(source);
}

double bad_sources::refused(const std::string& source, clock::time_point now) {
  const std::lock_guard guarded{mutex_};
  const auto at = records_.find(source);
  if (at == records_.end() || at->second.crashes < budget)
    return 0;
  const std::chrono::duration<double> left = at->second.until - now;
  return std::max(0.0, left.count());
}

} // namespace troupe::media
