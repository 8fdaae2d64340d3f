#include "actors/store/audit_rules.hpp"
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
/// Replies for each record.
constexpr std::size_t replies_each = 4;

std::string_view body_of(std::string_view value) {
  return value.substr(std::min(value.size(), body_at));
}

redis_key set_of(record_kind kind) {
  return lane_of(kind) == due_lane::follow ? redis_key::due
                                           : redis_key::calls_due;
}

bool may_be_due(record_kind kind) {
  return kind != record_kind::log && kind != record_kind::staged;
}

std::string field_of(record_kind kind, const std::string& key) {
  return std::string(1, static_cast<char>(kind)) + key;
}

} // namespace

/// Each that may be due once more, with its due time, at one instant.
result<void> redis_audit::records() {
  auto page = scan(redis_key::records, "HSCAN");
  if (!page)
    return page.error();
  std::vector<std::string> fields;
  std::vector<redis_args> commands;
  for (std::size_t i = 0; i + 1 < page->size(); i += 2) {
    const auto& field = (*page)[i];
    if (field.empty() || !may_be_due(static_cast<record_kind>(field.front())))
      continue;
    const auto kind = static_cast<record_kind>(field.front());
    const auto key = field.substr(1);
    commands.push_back({"HGET", name_of(redis_key::records), keep(field)});
    commands.push_back({"ZSCORE", name_of(set_of(kind)), keep(field)});
    commands.push_back({"HEXISTS", name_of(redis_key::records),
                        keep(field_of(record_kind::progress, key))});
    redis_args tallies{"HMGET", name_of(redis_key::tallies)};
    for (std::size_t s = 0; s < job_state_count; ++s)
      tallies.push_back(keep(state_prefix(static_cast<job_state>(s)) + key));
    commands.push_back(std::move(tallies));
    fields.push_back(field);
  }
  if (commands.empty())
    return {};
  auto replies = at_once(std::move(commands));
  if (!replies)
    return replies.error();
  redis_group group{client_, options_};
  if (auto read = group.read(); !read)
    return read;
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (auto done =
          check_record(fields[i], **replies, replies_each * i, group.now());
        !done)
      return done;
  return {};
}

/// Nobody can mend what cannot be read; whoever knows what it was replaces it.
result<void> redis_audit::check_record(const std::string& field,
                                       const redisReply& replies,
                                       std::size_t at, timestamp_ms now) {
  const auto value = text_at(replies, at);
  if (!is_text(*replies.element[at]))
    return {};
  const auto kind = static_cast<record_kind>(field.front());
  const auto key = field.substr(1);
  const auto body = body_of(value);
  if (!can_be_read(kind, body)) {
    find("record", key, "it cannot be read");
    return {};
  }
  const auto times = due_times_of(kind, body, now);
  if (!times.allows(number_at(replies, at + 1))
      && find("due", key, "nobody finds it in time")) {
    redis_group group{client_, options_};
    if (auto read = group.read(); !read)
      return read;
    group.changes.expect(redis_key::records, field, value.substr(0, body_at));
    if (times.mended == 0)
      group.changes.remove(set_of(kind), field);
    else
      group.changes.add(set_of(kind), field, times.mended);
    if (auto done = mend(group); !done)
      return done;
  }
  if (kind != record_kind::batch)
    return {};
  transaction::counters jobs{};
  for (std::size_t i = 0; i < job_state_count; ++i)
    jobs[i] = number_at(*replies.element[at + 3], i);
  const bool noticed = number_at(replies, at + 2) != 0;
  const auto why = why_endless(*unpack_batch(body), jobs, noticed);
  if (why.empty() || !find("batch", key, std::string{why}))
    return {};
  redis_group group{client_, options_};
  settle_batch(key, group);
  return mend(group);
}

/// What is due is a record. Of callbacks, what is none would stand in the way
/// of others for ever.
result<void> redis_audit::due(redis_key key) {
  auto page = scan(key, "ZSCAN");
  if (!page)
    return page.error();
  std::vector<redis_args> commands;
  for (std::size_t i = 0; i + 1 < page->size(); i += 2) {
    commands.push_back(
      {"HEXISTS", name_of(redis_key::records), keep((*page)[i])});
    commands.push_back({"ZSCORE", name_of(key), keep((*page)[i])});
  }
  if (commands.empty())
    return {};
  auto replies = at_once(std::move(commands));
  if (!replies)
    return replies.error();
  for (std::size_t i = 0; i + 1 < page->size(); i += 2) {
    const auto& field = (*page)[i];
    const bool stored = number_at(**replies, i) != 0;
    const bool listed = is_text(*(*replies)->element[i + 1]);
    if (stored || !listed
        || !find("orphan", field.empty() ? field : field.substr(1),
                 "what is due does not exist"))
      continue;
    redis_group group{client_, options_};
    if (auto read = group.read(); !read)
      return read;
    group.changes.expect(redis_key::records, field, "");
    group.changes.remove(key, field);
    if (auto done = mend(group); !done)
      return done;
  }
  return {};
}

} // namespace troupe::store
