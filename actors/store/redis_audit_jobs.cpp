#include "actors/store/audit_rules.hpp"
#include "actors/store/dependants.hpp"
#include "actors/store/redis_audit.hpp"
#include "actors/store/redis_reply.hpp"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <array>

/// Jobs: that they can be read, do not contradict themselves and stand where
/// they belong.
namespace troupe::store {

namespace {

/// Sets in which every job has its place, or none.
constexpr std::array indexes{redis_key::states,   redis_key::ready,
                             redis_key::schedule, redis_key::leases,
                             redis_key::finished, redis_key::batches};

/// What the name of a batch's record begins with.
const std::string record_mark(1, static_cast<char>(record_kind::batch));

} // namespace

result<void> redis_audit::jobs() {
  auto page = scan(redis_key::jobs, "HSCAN");
  if (!page)
    return page.error();
  std::vector<suspect> suspects;
  std::vector<redis_args> commands;
  for (std::size_t i = 0; i + 1 < page->size(); i += 2) {
    auto& it = suspects.emplace_back();
    it.id = (*page)[i];
    it.token = (*page)[i + 1].substr(0, record_token_size);
    it.readable =
      unpack_record((*page)[i + 1], it.record) && it.record.job.id == it.id;
    commands.push_back({"HGET", name_of(redis_key::jobs), keep(it.id)});
    for (const auto key : indexes) {
      const auto place = it.readable ? place_in(key, it.record) : std::nullopt;
      commands.push_back(
        {"ZSCORE", name_of(key), keep(place ? place->member : "")});
    }
    commands.push_back(
      {"HGET", name_of(redis_key::unique), keep(it.record.job.unique_key)});
    commands.push_back({"HEXISTS", name_of(redis_key::records),
                        keep(record_mark + it.record.job.batch)});
  }
  if (commands.empty())
    return {};
  const auto each = commands.size() / suspects.size();
  commands.push_back({"TIME"});
  auto replies = at_once(std::move(commands));
  if (!replies)
    return replies.error();
  const auto& time = *(*replies)->element[each * suspects.size()];
  const auto now =
    number_at(time, 0) * 1000 + number_at(time, 1) / 1000
    + (options_.clock_offset_ms ? options_.clock_offset_ms() : 0);
  for (std::size_t i = 0; i < suspects.size(); ++i)
    if (auto done = check_job(suspects[i], **replies, i * each, now); !done)
      return done;
  return {};
}

namespace {

/// What of a job contradicts itself; empty: nothing.
const char* contradiction(const redis_record& record, timestamp_ms now) {
  const auto& it = record.job;
  if (is_leased(it.state) != (it.lease_until != 0)
      || is_endless(it.lease_until, now)
      || (it.node.empty() && it.lease_until > now))
    return "lease";
  if (is_misplaced(it, record.score))
    return "score";
  if (is_terminal(it.state) != (it.finished_at != 0))
    return "finished";
  if (it.publishing && it.state != job_state::running)
    return "publishing";
  return "";
}

} // namespace

result<void> redis_audit::check_job(const suspect& it,
                                    const redisReply& replies, std::size_t at,
                                    timestamp_ms now) {
  const auto& stored = *replies.element[at];
  if (!is_text(stored) || !text_of(stored).starts_with(it.token))
    return {};
  if (!it.readable)
    return find("job", it.id, "it cannot be read") ? bury(it) : result<void>{};
  const auto& job = it.record.job;
  if (const std::string_view wrong = contradiction(it.record, now);
      !wrong.empty())
    return find(wrong.data(), it.id, "the job contradicts itself")
             ? mend_job(it)
             : result<void>{};
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    const auto place = place_in(indexes[i], it.record);
    const auto& score = *replies.element[at + 1 + i];
    if (!place || (is_text(score) && number_of(score) == place->score))
      continue;
    return find(name_of_index(indexes[i]), it.id, "it is not where it belongs")
             ? mend_job(it)
             : result<void>{};
  }
  const auto holder = text_at(replies, at + 1 + indexes.size());
  if (!job.unique_key.empty() && !is_terminal(job.state) && holder != it.id)
    return find("unique", it.id, "it does not hold its key") ? mend_job(it)
                                                             : result<void>{};
  const auto batch = number_at(replies, at + 2 + indexes.size());
  if (auto done = check_batch_of(it, batch != 0); !done)
    return done;
  if (!job.depends_on.empty() && !is_terminal(job.state))
    return check_pending(it);
  return {};
}

/// The batch of a job that has not ended is there.
result<void> redis_audit::check_batch_of(const suspect& it, bool stored) {
  const auto& job = it.record.job;
  if (stored || job.batch.empty() || is_terminal(job.state))
    return {};
  // Another job of this page may have told of it.
  redis_group group{client_, options_};
  if (auto begun = group.read(); !begun)
    return begun;
  if (group.read(record_kind::batch, job.batch))
    return {};
  const bool told =
    std::ranges::any_of(out_.findings, [&](const audit_finding& one) {
      return one.subject == job.batch;
    });
  if (told || !find("batch", job.batch, "it is gone, its jobs are not"))
    return {};
  rebuild_batch(job.batch, job.owner, group);
  return mend(group);
}

/// It stands in the indexes as one that is new; what names it elsewhere, and
/// counts it there, is looked at later.
result<void> redis_audit::bury(const suspect& it) {
  redis_group group{client_, options_};
  group.need_job(it.id);
  if (auto read = group.read(); !read)
    return read;
  const auto& stored = group.at(it.id);
  if (stored.error != errc::corrupt || !stored.token.starts_with(it.token))
    return {};
  job known;
  if (it.record.job.id == it.id)
    static_cast<job_draft&>(known) = it.record.job;
  known.id = it.id;
  auto dead = corrupt_job(std::move(known), group.now());
  if (const auto* added = group.insert(std::move(dead), true)) {
    job_ended(*added, group);
    return mend(group);
  }
  return {};
}

result<void> redis_audit::restore(const std::string& id,
                                  const std::string& member) {
  redis_group group{client_, options_};
  group.need_job(id);
  if (auto read = group.read(); !read)
    return read;
  job known;
  known.id = id;
  auto dead = corrupt_job(std::move(known), group.now());
  if (group.at(id).error != errc::not_found)
    return {};
  group.changes.remove(redis_key::states, member);
  if (const auto* added = group.insert(std::move(dead), true)) {
    job_ended(*added, group);
    return mend(group);
  }
  return {};
}

/// Sets right what the job says of itself, then puts it wherever it belongs.
result<void> redis_audit::mend_job(const suspect& it) {
  redis_group group{client_, options_};
  if (auto read = group.read(); !read)
    return read;
  auto record = it.record;
  auto& job = record.job;
  if (!is_leased(job.state))
    job.lease_until = 0;
  else if (job.lease_until == 0 || job.node.empty())
    job.lease_until = group.now();
  else if (is_endless(job.lease_until, group.now()))
    job.lease_until = group.now() + options_.lease_ms;
  const bool misplaced = is_misplaced(job, record.score);
  if (misplaced)
    record.score = score_of(job, options_.ageing_ms);
  if (is_terminal(job.state) != (job.finished_at != 0))
    job.finished_at = is_terminal(job.state) ? group.now() : 0;
  job.publishing = job.publishing && job.state == job_state::running;
  if (!job.publishing)
    job.manifest.clear();
  auto& changes = group.changes;
  changes.expect(redis_key::jobs, it.id, it.token);
  if (misplaced || !(job == it.record.job)) {
    ++record.writes;
    changes.set(redis_key::jobs, it.id, pack_record(record));
  }
  for (const auto key : indexes) {
    const auto place = place_in(key, record);
    if (place)
      changes.add(key, place->member, place->score);
    else if (key == redis_key::schedule || key == redis_key::leases)
      changes.remove(key, it.id);
  }
  if (job.state == job_state::queued)
    changes.touch(lane_of(job));
  if (!job.unique_key.empty() && !is_terminal(job.state))
    changes.set(redis_key::unique, job.unique_key, job.id);
  return mend(group);
}

} // namespace troupe::store
