#include "actors/store/audit_rules.hpp"
#include "actors/store/audit_ties.hpp"
#include "actors/store/put_off.hpp"
#include "actors/store/redis_audit.hpp"
#include "actors/store/redis_reply.hpp"

#include <hiredis/hiredis.h>

#include <algorithm>

/// Records: that they can be read, and are found when they are due.
namespace troupe::store {

namespace {

/// Where the body of a record begins, behind its token.
constexpr std::size_t body_at = 8;

std::string_view body_of(std::string_view value) {
  return value.substr(std::min(value.size(), body_at));
}

redis_key set_of(record_kind kind) {
  return lane_of(kind) == due_lane::follow ? redis_key::due
                                           : redis_key::calls_due;
}

} // namespace

/// Each that may be due once more, with its due time, at one instant.
result<void> redis_audit::records() {
  redis_group clock{client_, options_};
  if (auto read = clock.read(); !read)
    return read;
  const auto ask = [&](const entry& it) -> std::vector<redis_args> {
    const auto& field = it.name;
    if (field.empty())
      return {};
    const auto kind = static_cast<record_kind>(field.front());
    const auto key = field.substr(1);
    const auto link = link_of(kind, key, body_of(it.value));
    const auto owner = owner_of(kind, key, body_of(it.value));
    redis_args tallies{"HMGET", name_of(redis_key::tallies)};
    for (std::size_t s = 0; s < job_state_count; ++s)
      tallies.push_back(keep(state_prefix(static_cast<job_state>(s)) + key));
    return {
      {"HGET", name_of(redis_key::records), keep(field)},
      {"ZSCORE", name_of(set_of(kind)), keep(field)},
      {"HEXISTS", name_of(redis_key::records),
       keep(field_of(record_kind::progress, key))},
      std::move(tallies),
      {"ZSCORE", name_of(redis_key::links),
       keep(link ? link_prefix(link->kind, link->owner) + link->member : "")},
      {"HEXISTS", name_of(redis_key::jobs), keep(owner.job)},
      {"HEXISTS", name_of(redis_key::records),
       keep(field_of(record_kind::batch, owner.batch))}};
  };
  return look_at(redis_key::records, "HSCAN", ask,
                 [&](const entry& it, answers about) {
                   if (text_of(*about[0]) != it.value)
                     return result<void>{};
                   return check_record(it.name, about, clock.now());
                 });
}

/// @param about the record, when it is due, whether its progress is noted, its
/// tallies, its link, whether its job and its batch are there
result<void> redis_audit::check_record(const std::string& field, answers about,
                                       timestamp_ms now) {
  if (!is_text(*about[0]))
    return {};
  const auto value = text_of(*about[0]);
  const auto kind = static_cast<record_kind>(field.front());
  const auto key = field.substr(1);
  const auto body = body_of(value);
  if (auto done = check_ties(kind, key, body, about); !done)
    return done;
  if (!can_be_read(kind, body) || !may_be_due(kind))
    return {};
  const auto times = due_times_of(kind, body, now);
  if (!times.allows(number_of(*about[1]))
      && find("due", key, "nobody finds it in time")) {
    auto done = mend([&](redis_group& group) {
      group.changes.expect(redis_key::records, field, value.substr(0, body_at));
      if (times.mended == 0)
        group.changes.remove(set_of(kind), field);
      else
        group.changes.add(set_of(kind), field, times.mended);
    });
    if (!done)
      return done;
  }
  if (kind != record_kind::batch)
    return {};
  transaction::counters jobs{};
  for (std::size_t i = 0; i < job_state_count; ++i)
    jobs[i] = number_at(*about[3], i);
  const bool noticed = number_of(*about[2]) != 0;
  const auto why = why_endless(*unpack_batch(body), jobs, noticed);
  if (why.empty() || !find("batch", key, std::string{why}))
    return {};
  return mend([&](redis_group& group) { settle_batch(key, group); });
}

result<void> redis_audit::check_ties(record_kind kind, const std::string& key,
                                     std::string_view body, answers about) {
  const bool listed = !link_of(kind, key, body) || is_text(*about[4]);
  const bool owned = !owner_of(kind, key, body).any()
                     || number_of(*about[5]) != 0 || number_of(*about[6]) != 0;
  const auto fault = fault_of(kind, body, listed, owned);
  if (fault == record_fault::none || !find(word_of(fault), key, words_of(fault))
      || fault == record_fault::unknown)
    return {};
  return mend(
    [&](redis_group& group) { mend_record(fault, kind, key, group); });
}

/// What is due is a record. Of callbacks, what is none would stand in the way
/// of others for ever.
result<void> redis_audit::due(redis_key key) {
  const auto ask = [&](const entry& it) -> std::vector<redis_args> {
    return {{"HEXISTS", name_of(redis_key::records), keep(it.name)},
            {"ZSCORE", name_of(key), keep(it.name)}};
  };
  const auto judge = [&](const entry& it, answers about) -> result<void> {
    const auto& field = it.name;
    const bool stored = number_of(*about[0]) != 0;
    if (stored || !is_text(*about[1])
        || !find("orphan", field.empty() ? field : field.substr(1),
                 "what is due does not exist"))
      return {};
    return mend([&](redis_group& group) {
      group.changes.expect(redis_key::records, field, "");
      group.changes.remove(key, field);
    });
  };
  return look_at(key, "ZSCAN", ask, judge);
}

} // namespace troupe::store
