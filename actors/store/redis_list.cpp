#include "actors/store/page_token.hpp"
#include "actors/store/redis_job.hpp"
#include "actors/store/redis_store.hpp"
#include "actors/store/transitions.hpp"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <map>

/// What people look at: pages of jobs, and how many there are.
namespace troupe::store {

namespace {

bool passes(const job& it, const list_query& query) {
  const auto fits = [](const std::string& wanted, const std::string& is) {
    return wanted.empty() || wanted == is;
  };
  return (!query.state || *query.state == it.state) && fits(query.type, it.type)
         && fits(query.queue, it.queue) && fits(query.owner, it.owner)
         && fits(query.batch, it.batch)
         && (query.tag.empty()
             || std::ranges::find(it.tags, query.tag) != it.tags.end());
}

/// Filters that no index answers.
bool scans(const list_query& query) {
  return !query.type.empty() || !query.queue.empty() || !query.tag.empty()
         || !query.owner.empty();
}

} // namespace

result<redis_store::replies> redis_store::read_rows(const list_query& query,
                                                    std::uint64_t below,
                                                    std::size_t count) {
  script_call call{redis_script::list};
  // Sequences are numbers that Lua holds exactly.
  call.keep(std::to_string(std::min(below, std::uint64_t{1} << 53)));
  call.keep(std::to_string(std::min(count, jobs_per_script)));
  call.keep(batch_prefix(query.batch));
  call.keep(query.state ? std::to_string(static_cast<int>(*query.state))
                        : "012345678");
  return run({&call, 1}, options_.lease_ms);
}

result<job_page> redis_store::list(const list_query& query) {
  const auto from = read_page_token(query);
  if (!from)
    return from.error();
  const std::size_t size = std::clamp(query.page_size, 1u, 1000u);
  job_page page;
  auto below = *from;
  std::size_t looked_at = 0;
  const auto may_go_on = [&] {
    return page.jobs.size() < size && (!scans(query) || looked_at < max_scan);
  };
  while (may_go_on()) {
    const auto wanted =
      scans(query) ? max_scan - looked_at : size - page.jobs.size();
    const auto got = read_rows(query, below, wanted);
    if (!got)
      return got.error();
    const auto& rows = *got->front();
    if (size_of(rows) == 0)
      return page;
    for (std::size_t i = 0; i < size_of(rows) && may_go_on();
         ++i, ++looked_at) {
      const auto bytes = read_text(*rows.element[i]);
      job it;
      if (!bytes || !unpack_from_redis(*bytes, it))
        return fail(errc::corrupt, "redis: a job that cannot be read");
      below = sequence_in_redis(*bytes);
      if (passes(it, query))
        page.jobs.push_back(std::move(it));
    }
  }
  const auto more = read_rows(query, below, 1);
  if (!more)
    return more.error();
  if (size_of(*more->front()) > 0)
    page.next_page_token = make_page_token(query, below);
  return page;
}

result<std::vector<queue_depth>> redis_store::depths() {
  const script_call call{redis_script::depths};
  const auto got = run({&call, 1}, options_.lease_ms);
  if (!got)
    return got.error();
  const auto& reply = *got->front();
  std::map<std::string, queue_depth, std::less<>> queues;
  for (std::size_t i = 1; i + 2 < size_of(reply); i += 3) {
    const auto field = read_text(*reply.element[i]);
    if (!field || field->empty())
      return fail(errc::corrupt, "redis: a number of jobs without a queue");
    const auto state = static_cast<std::size_t>(field->front() - '0');
    const std::string queue{field->substr(1)};
    auto& depth = queues[queue];
    depth.queue = queue;
    depth.by_state[state % job_state_count] =
      static_cast<std::uint64_t>(number_at(reply, i + 1));
    if (number_at(reply, i + 2) != 0)
      depth.oldest_age_ms = std::max<std::int64_t>(
        0, number_at(reply, 0) - number_at(reply, i + 2));
  }
  std::vector<queue_depth> depths;
  for (auto& [name, depth] : queues)
    depths.push_back(std::move(depth));
  return depths;
}

} // namespace troupe::store
