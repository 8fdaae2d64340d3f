#include "actors/store/redis_audit.hpp"
#include "actors/store/redis_reply.hpp"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <map>
#include <unordered_set>

/// Numbers of jobs by state and queue, and of those that run by key.
namespace troupe::store {

namespace {

/// A repair that stands only if nobody has written since it was read.
void expect_silence(redis_group& group) {
  group.changes.expect(redis_key::jobs, "", "x");
}

} // namespace

/// Sums by state, and the queued ones of each queue, against the indexes.
result<void> redis_audit::counters() {
  const auto states = name_of(redis_key::states);
  std::vector<redis_args> commands{{"HGETALL", name_of(redis_key::depth)}};
  for (std::size_t i = 0; i < job_state_count; ++i) {
    const auto digit = state_prefix(static_cast<job_state>(i));
    commands.push_back(
      {"ZLEXCOUNT", states, keep("[" + digit),
       keep("(" + state_prefix(static_cast<job_state>(i + 1)))});
  }
  auto queues = queues_counted();
  if (!queues)
    return queues.error();
  for (const auto& queue : *queues)
    commands.push_back({"ZLEXCOUNT", name_of(redis_key::ready),
                        keep("[" + queue_prefix(queue)),
                        keep("(" + queue_prefix(queue) + "\xff")});
  auto replies = at_once(std::move(commands));
  if (!replies)
    return replies.error();
  std::map<char, std::int64_t> sums;
  std::map<std::string, std::int64_t, std::less<>> queued;
  const auto& depth = *(*replies)->element[0];
  for (std::size_t i = 0; i + 1 < size_of(depth); i += 2) {
    const auto field = text_at(depth, i);
    sums[field.front()] += number_at(depth, i + 1);
    if (field.starts_with(state_prefix(job_state::queued)))
      queued.emplace(field.substr(state_prefix_size), number_at(depth, i + 1));
  }
  for (std::size_t i = 0; i < job_state_count; ++i) {
    const auto counted = number_at(**replies, i + 1);
    if (sums[static_cast<char>('0' + i)] == counted)
      continue;
    const std::string state{to_string(static_cast<job_state>(i))};
    if (find("counter", state, "there are " + std::to_string(counted)))
      return recount();
  }
  for (std::size_t i = 0; i < queues->size(); ++i) {
    const auto& queue = (*queues)[i];
    const auto counted = number_at(**replies, 1 + job_state_count + i);
    if (queued[queue] != counted
        && find("counter", queue,
                std::to_string(counted) + " jobs of it are queued"))
      return recount();
  }
  return {};
}

/// All queues that have a number of jobs.
result<std::vector<std::string>> redis_audit::queues_counted() {
  auto fields = client_.ask({"HKEYS", name_of(redis_key::depth)});
  if (!fields)
    return fields.error();
  std::vector<std::string> queues;
  for (std::size_t i = 0; i < size_of(**fields); ++i)
    if (const auto field = text_at(**fields, i); !field.empty())
      queues.emplace_back(field.substr(state_prefix_size));
  std::ranges::sort(queues);
  const auto doubles = std::ranges::unique(queues);
  queues.erase(doubles.begin(), doubles.end());
  return queues;
}

result<void> redis_audit::recount() {
  redis_group group{client_, options_};
  if (auto read = group.read(); !read)
    return read;
  std::map<std::string, std::int64_t> counts;
  // A hash that grows or shrinks may show a field twice.
  std::unordered_set<std::string> seen;
  for (std::string at = "0";;) {
    auto page =
      client_.ask({"HSCAN", name_of(redis_key::jobs), at, "COUNT", "1000"});
    if (!page)
      return page.error();
    const auto& fields = *(*page)->element[1];
    redis_record record;
    for (std::size_t i = 0; i + 1 < size_of(fields); i += 2)
      if (seen.emplace(text_at(fields, i)).second
          && unpack_record(text_at(fields, i + 1), record))
        ++counts[state_prefix(record.job.state) + record.job.queue];
    at = text_at(**page, 0);
    if (at == "0")
      break;
  }
  auto kept = client_.ask({"HGETALL", name_of(redis_key::depth)});
  if (!kept)
    return kept.error();
  for (std::size_t i = 0; i + 1 < size_of(**kept); i += 2)
    counts.try_emplace(std::string{text_at(**kept, i)}, 0);
  expect_silence(group);
  for (const auto& [field, count] : counts)
    group.changes.set(redis_key::depth, field, std::to_string(count));
  return mend(group);
}

/// Leased jobs by queue and key. They are as many as run, not as wait.
result<void> redis_audit::running() {
  redis_group group{client_, options_};
  if (auto read = group.read(); !read)
    return read;
  auto replies = at_once({{"ZRANGE", name_of(redis_key::leases), "0", "-1"},
                          {"HGETALL", name_of(redis_key::running)}});
  if (!replies)
    return replies.error();
  const auto& leases = *(*replies)->element[0];
  redis_args jobs{"HMGET", name_of(redis_key::jobs)};
  for (std::size_t i = 0; i < size_of(leases); ++i)
    jobs.push_back(text_at(leases, i));
  std::map<std::string, std::int64_t> counts;
  if (jobs.size() > 2) {
    auto found = client_.ask(jobs);
    if (!found)
      return found.error();
    redis_record record;
    for (std::size_t i = 0; i < size_of(**found); ++i) {
      const std::string_view id = jobs[i + 2];
      if (id.size() == 80 && id.front() == '\xff')
        continue;
      if (!unpack_record(text_at(**found, i), record))
        return {}; // forgotten meanwhile: next time
      ++counts[flow_name_of_queue(record.job.queue)];
      if (!record.job.concurrency_key.empty())
        ++counts[flow_name_of_key(record.job.concurrency_key)];
    }
  }
  std::map<std::string, std::int64_t> kept;
  const auto& stored = *(*replies)->element[1];
  for (std::size_t i = 0; i + 1 < size_of(stored); i += 2)
    kept[std::string{text_at(stored, i)}] = number_at(stored, i + 1);
  if (counts == kept || !find("group", "", "not as many run as are counted"))
    return {};
  expect_silence(group);
  for (const auto& [name, count] : kept)
    if (counts.find(name) == counts.end())
      group.changes.remove(redis_key::running, name);
  for (const auto& [name, count] : counts)
    group.changes.set(redis_key::running, name, std::to_string(count));
  for (const auto& [name, count] : kept)
    if (name.starts_with('k'))
      group.changes.run(name, 0); // who waits for it looks again
  return mend(group);
}

} // namespace troupe::store
