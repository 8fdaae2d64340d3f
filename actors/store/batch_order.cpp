#include "actors/store/batches.hpp"

#include <functional>
#include <map>
#include <queue>
#include <string_view>

namespace troupe::store {

result<std::vector<job_draft>> in_order(std::span<const job_draft> jobs) {
  std::map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < jobs.size(); ++i)
    places.emplace(jobs[i].id, i);
  std::vector<std::vector<std::size_t>> children(jobs.size());
  std::vector<std::size_t> waits(jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i)
    for (const auto& parent : jobs[i].depends_on)
      if (const auto at = places.find(parent); at != places.end()) {
        children[at->second].push_back(i);
        ++waits[i];
      }
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>>
    ready;
  for (std::size_t i = 0; i < jobs.size(); ++i)
    if (waits[i] == 0)
      ready.push(i);
  std::vector<job_draft> ordered;
  ordered.reserve(jobs.size());
  while (!ready.empty()) {
    const auto next = ready.top();
    ready.pop();
    ordered.push_back(jobs[next]);
    for (const auto child : children[next])
      if (--waits[child] == 0)
        ready.push(child);
  }
  if (ordered.size() < jobs.size())
    return fail(errc::no_parent, "jobs of the batch wait for each other");
  return ordered;
}

} // namespace troupe::store
