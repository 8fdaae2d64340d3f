#include "actors/store/redis_audit.hpp"
#include "actors/store/redis_reply.hpp"

#include <hiredis/hiredis.h>

/// What indexes name are jobs that belong there.
namespace troupe::store {

namespace {

/// The id that a member ends with; empty for none of ours.
std::string id_in(redis_key key, std::string_view member) {
  std::size_t before = 0;
  switch (key) {
  case redis_key::states:
    before = state_prefix_size + 8;
    break;
  case redis_key::ready:
    before = lane_size(member) + rank_size;
    break;
  case redis_key::finished:
    before = finished_prefix_size;
    break;
  case redis_key::batches: {
    std::uint32_t size = 0;
    if (member.size() >= sizeof size)
      member.copy(reinterpret_cast<char*>(&size), sizeof size);
    before = sizeof size + size + 8;
    break;
  }
  default:
    break;
  }
  return before < member.size() ? std::string{member.substr(before)} : "";
}

} // namespace

const char* name_of_index(redis_key key) {
  switch (key) {
  case redis_key::states:
    return "state";
  case redis_key::ready:
    return "ready";
  case redis_key::schedule:
    return "schedule";
  case redis_key::leases:
    return "lease";
  case redis_key::finished:
    return "finished";
  default:
    return "batch";
  }
}

result<void> redis_audit::index(redis_key key) {
  auto page = scan(key, "ZSCAN");
  if (!page)
    return page.error();
  std::vector<entry> entries;
  std::vector<redis_args> commands;
  for (std::size_t i = 0; i + 1 < page->size(); i += 2) {
    auto& it = entries.emplace_back();
    it.member = (*page)[i];
    it.id = id_in(key, it.member);
    commands.push_back({"HGET", name_of(redis_key::jobs), keep(it.id)});
    commands.push_back({"ZSCORE", name_of(key), keep(it.member)});
  }
  if (commands.empty())
    return {};
  auto replies = at_once(std::move(commands));
  if (!replies)
    return replies.error();
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (auto done = check_entry(key, entries[i], *(*replies)->element[2 * i],
                                is_text(*(*replies)->element[2 * i + 1]));
        !done)
      return done;
  return {};
}

/// What a member names is a job that belongs there.
result<void> redis_audit::check_entry(redis_key key, const entry& it,
                                      const redisReply& job, bool present) {
  redis_record record;
  const auto bytes = text_of(job);
  const bool readable = unpack_record(bytes, record);
  if (!present || (!readable && !bytes.empty()))
    return {};
  const auto place = readable ? place_in(key, record) : std::nullopt;
  if (place && place->member == it.member)
    return {};
  if (!find(readable ? name_of_index(key) : "orphan",
            it.id.empty() ? it.member : it.id,
            readable ? "it stands where it does not belong"
                     : "an index names a job that is none"))
    return {};
  redis_group group{client_, options_};
  if (auto read = group.read(); !read)
    return read;
  group.changes.expect(redis_key::jobs, it.id,
                       bytes.substr(0, record_token_size));
  group.changes.remove(key, it.member);
  if (key == redis_key::ready)
    group.changes.touch(it.member.substr(0, lane_size(it.member)));
  return mend(group);
}

result<void> redis_audit::unique() {
  auto page = scan(redis_key::unique, "HSCAN");
  if (!page)
    return page.error();
  std::vector<redis_args> commands;
  for (std::size_t i = 0; i + 1 < page->size(); i += 2) {
    commands.push_back(
      {"HGET", name_of(redis_key::jobs), keep((*page)[i + 1])});
    commands.push_back({"HGET", name_of(redis_key::unique), keep((*page)[i])});
  }
  if (commands.empty())
    return {};
  auto replies = at_once(std::move(commands));
  if (!replies)
    return replies.error();
  for (std::size_t i = 0; i + 1 < page->size(); i += 2) {
    const auto& key = (*page)[i];
    const auto& id = (*page)[i + 1];
    const auto bytes = text_at(**replies, i);
    redis_record record;
    const bool holds = unpack_record(bytes, record)
                       && record.job.unique_key == key
                       && !is_terminal(record.job.state);
    if (holds || text_at(**replies, i + 1) != id
        || !find("unique", key, "held by " + id + ", which does not"))
      continue;
    redis_group group{client_, options_};
    if (auto read = group.read(); !read)
      return read;
    group.changes.expect(redis_key::unique, key, id);
    group.changes.expect(redis_key::jobs, id,
                         bytes.substr(0, record_token_size));
    group.changes.remove(redis_key::unique, key);
    if (auto done = mend(group); !done)
      return done;
  }
  return {};
}

} // namespace troupe::store
