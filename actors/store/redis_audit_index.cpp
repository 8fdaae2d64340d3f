#include "actors/store/redis_audit.hpp"
#include "actors/store/redis_reply.hpp"

#include <hiredis/hiredis.h>

#include <algorithm>

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

/// False for what no job was ever called.
bool may_be_id(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
           || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  };
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, fits);
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
  return look_at(
    key, "ZSCAN",
    [&](const entry& it) -> std::vector<redis_args> {
      return {{"HGET", name_of(redis_key::jobs), keep(id_in(key, it.name))},
              {"ZSCORE", name_of(key), keep(it.name)}};
    },
    [&](const entry& it, answers about) {
      return check_entry(key, it.name, id_in(key, it.name), about);
    });
}

/// What a member names is a job that belongs there.
/// @param about the job, and the member's score
result<void> redis_audit::check_entry(redis_key key, const std::string& member,
                                      const std::string& id, answers about) {
  redis_record record;
  const auto bytes = text_of(*about[0]);
  const bool stored = is_text(*about[0]);
  const bool readable = unpack_record(bytes, record) && record.job.id == id;
  if (!is_text(*about[1]) || (!readable && stored))
    return {};
  const auto place = readable ? place_in(key, record) : std::nullopt;
  if (place && place->member == member)
    return {};
  if (!find(readable ? name_of_index(key) : "orphan", id.empty() ? member : id,
            readable ? "it stands where it does not belong"
                     : "an index names a job that is none"))
    return {};
  // Whoever forgets a job takes it from there: this one was lost.
  if (key == redis_key::states && !stored && may_be_id(id))
    return restore(id, member);
  return mend([&](redis_group& group) {
    group.changes.expect(redis_key::jobs, id,
                         bytes.substr(0, record_token_size));
    group.changes.remove(key, member);
    if (key == redis_key::ready)
      group.changes.touch(member.substr(0, lane_size(member)));
  });
}

/// A key is held by a job that says so and has not ended.
result<void> redis_audit::unique() {
  const auto ask = [&](const entry& it) -> std::vector<redis_args> {
    return {{"HGET", name_of(redis_key::jobs), keep(it.value)},
            {"HGET", name_of(redis_key::unique), keep(it.name)}};
  };
  const auto judge = [&](const entry& it, answers about) -> result<void> {
    const auto bytes = text_of(*about[0]);
    redis_record record;
    const bool holds = unpack_record(bytes, record) && record.job.id == it.value
                       && record.job.unique_key == it.name
                       && !is_terminal(record.job.state);
    if (holds || text_of(*about[1]) != it.value
        || !find("unique", it.name, "held by " + it.value + ", which does not"))
      return {};
    return mend([&](redis_group& group) {
      group.changes.expect(redis_key::unique, it.name, it.value);
      group.changes.expect(redis_key::jobs, it.value,
                           bytes.substr(0, record_token_size));
      group.changes.remove(redis_key::unique, it.name);
    });
  };
  return look_at(redis_key::unique, "HSCAN", ask, judge);
}

} // namespace troupe::store
