#include "actors/store/page_room.hpp"
#include "actors/store/page_token.hpp"
#include "actors/store/sqlite_store.hpp"

#include <algorithm>

/// What people look at: pages of jobs, and how many there are.
namespace troupe::store {

cursor sqlite_store::open_list(const list_query& query, std::int64_t below) {
  if (!query.batch.empty())
    return list_batch_.start(below, query.batch);
  if (query.state)
    return list_state_.start(below, static_cast<std::int64_t>(*query.state));
  return list_all_.start(below);
}

result<job_page> sqlite_store::list(const list_query& query) {
  const auto below = read_page_token(query);
  if (!below)
    return below.error();
  const auto size = std::clamp(query.page_size, 1u, 1000u);
  const bool scans = must_scan(query);
  job_page page;
  in_.begin(false);
  {
    auto row = open_list(
      query, std::int64_t(std::min<std::uint64_t>(*below, INT64_MAX)));
    std::uint64_t last = 0;
    page_room room{size, scans};
    while (row.next()) {
      if (!room.any()) {
        page.next_page_token = make_page_token(query, last);
        break;
      }
      stored_job found;
      last = std::uint64_t(row.number(0));
      const bool shown =
        sqlite_rows::read(row, found) && matches(found.job, query);
      room.look_at(found.job, shown);
      if (shown)
        page.jobs.push_back(std::move(found.job));
    }
  }
  if (auto done = in_.end(); !done)
    return done.error();
  return page;
}

result<std::vector<queue_depth>> sqlite_store::depths() {
  std::vector<queue_depth> found;
  in_.begin(false);
  const auto at = in_.now();
  for (const auto& [queue, counts] : rows_.depths()) {
    auto& depth = found.emplace_back();
    depth.queue = queue;
    std::ranges::copy(counts, depth.by_state);
    if (const auto oldest = rows_.ready().oldest(queue); oldest != 0)
      depth.oldest_age_ms = std::max<std::int64_t>(at - oldest, 0);
  }
  if (auto done = in_.end(); !done)
    return done.error();
  return found;
}

} // namespace troupe::store
