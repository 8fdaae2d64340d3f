#include "actors/store/redis_audit.hpp"
#include "actors/store/redis_reply.hpp"

#include <hiredis/hiredis.h>

#include <map>

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
  auto replies = at_once(std::move(commands));
  if (!replies)
    return replies.error();
  std::map<char, std::int64_t> sums;
  const auto& depth = *(*replies)->element[0];
  for (std::size_t i = 0; i + 1 < size_of(depth); i += 2)
    sums[text_at(depth, i).front()] += number_at(depth, i + 1);
  for (std::size_t i = 0; i < job_state_count; ++i) {
    const auto counted = number_at(**replies, i + 1);
    if (sums[static_cast<char>('0' + i)] == counted)
      continue;
    const std::string state{to_string(static_cast<job_state>(i))};
    if (find("counter", state, "there are " + std::to_string(counted)))
      return recount();
  }
  return {};
}

result<void> redis_audit::recount() {
  redis_group group{client_, options_};
  if (auto read = group.read(); !read)
    return read;
  std::map<std::string, std::int64_t> counts;
  for (std::string at = "0";;) {
    auto page =
      client_.ask({"HSCAN", name_of(redis_key::jobs), at, "COUNT", "1000"});
    if (!page)
      return page.error();
    const auto& fields = *(*page)->element[1];
    redis_record record;
    std::map<std::string, std::int64_t> seen;
    for (std::size_t i = 0; i + 1 < size_of(fields); i += 2)
      if (unpack_record(text_at(fields, i + 1), record))
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
