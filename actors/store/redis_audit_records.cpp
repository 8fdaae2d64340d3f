#include "actors/store/audit_ties.hpp"
#include "actors/store/dependants.hpp"
#include "actors/store/redis_audit.hpp"
#include "actors/store/redis_reply.hpp"
#include "actors/store/transitions.hpp"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <array>

/// What lies beside the jobs: who waits for whom, and the counts of batches.
namespace troupe::store {

namespace {

constexpr std::size_t jobs_at_once = 500;
/// Batches of one step, each of up to 10,000 jobs.
constexpr std::size_t batches_at_once = 8;

/// A member of `links`: kind, size of the owner, owner, member.
struct split_link {
  char kind = 0;
  std::string owner, member;
};

/// The batch that a member of `batches` begins with; empty for none of ours.
std::string batch_in(std::string_view member) {
  std::uint32_t size = 0;
  if (member.size() < sizeof size)
    return {};
  member.copy(reinterpret_cast<char*>(&size), sizeof size);
  const auto rest = member.substr(sizeof size);
  return rest.size() < size ? std::string{} : std::string{rest.substr(0, size)};
}

split_link split(std::string_view bytes) {
  std::uint32_t size = 0;
  if (bytes.size() < 1 + sizeof size)
    return {};
  bytes.substr(1).copy(reinterpret_cast<char*>(&size), sizeof size);
  const auto rest = bytes.substr(1 + sizeof size);
  if (rest.size() < size)
    return {};
  return {bytes[0], std::string{rest.substr(0, size)},
          std::string{rest.substr(size)}};
}

bool has_ended(std::string_view bytes) {
  redis_record it;
  return unpack_record(bytes, it) && is_terminal(it.job.state);
}

} // namespace

/// A job waits for one that is stored, whose end, be it past, will be noticed.
result<void> redis_audit::links() {
  const auto ask = [&](const entry& link) -> std::vector<redis_args> {
    const auto it = split(link.name);
    if (const auto named = named_by(static_cast<link_kind>(it.kind), it.member))
      return {{"HEXISTS", name_of(redis_key::records),
               keep(field_of(named->kind, named->key))},
              {"ZSCORE", name_of(redis_key::links), keep(link.name)}};
    if (it.kind != static_cast<char>(link_kind::waits)
        && it.kind != static_cast<char>(link_kind::holds))
      return {};
    const auto jobs = name_of(redis_key::jobs);
    const auto records = name_of(redis_key::records);
    return {
      {"HGET", jobs, keep(it.owner)},
      {"HGET", jobs, keep(it.member)},
      {"HEXISTS", records, keep(field_of(record_kind::release, it.owner))},
      {"HEXISTS", records, keep(field_of(record_kind::unhold, it.member))},
      {"ZSCORE", name_of(redis_key::links), keep(link.name)}};
  };
  return look_at(redis_key::links, "ZSCAN", ask,
                 [&](const entry& link, answers about) {
                   const auto it = split(link.name);
                   return check_link(it.kind, it.owner, it.member, about);
                 });
}

/// @param about both jobs, whether the release of the one and the letting go of
/// the other are noted, the link; or whether there is the record, the link
result<void> redis_audit::check_link(char kind, const std::string& owner,
                                     const std::string& member, answers about) {
  if (!is_text(*about.back()))
    return {};
  if (named_by(static_cast<link_kind>(kind), member)) {
    if (number_of(*about[0]) != 0
        || !find("orphan", member, "a list names what does not exist"))
      return {};
    return mend([&](redis_group& group) {
      group.unlink(static_cast<link_kind>(kind), owner, member);
    });
  }
  const auto stored = text_of(*about[0]);
  const auto child = text_of(*about[1]);
  const bool lost = stored.empty() || child.empty();
  const bool stale = has_ended(child) && number_of(*about[3]) == 0;
  const bool orphan = lost || stale;
  const bool forgotten = kind == static_cast<char>(link_kind::waits)
                         && has_ended(stored) && number_of(*about[2]) == 0;
  if (!orphan && !forgotten)
    return {};
  if (!find(orphan ? "orphan" : "release", member,
            lost    ? "it or what it waits for does not exist"
            : stale ? "it has ended and does not wait"
                    : "nobody tells it of an end"))
    return {};
  return mend([&](redis_group& group) {
    group.changes.expect(redis_key::jobs, owner,
                         stored.substr(0, record_token_size));
    group.changes.expect(redis_key::jobs, member,
                         child.substr(0, record_token_size));
    if (orphan)
      group.unlink(static_cast<link_kind>(kind), owner, member);
    else
      group.write(record_kind::release, owner, {}, group.now());
  });
}

/// It waits for as many as it says.
result<void> redis_audit::check_pending(const suspect& it) {
  const auto& job = it.record.job;
  std::vector<redis_args> commands{{"HGET", name_of(redis_key::jobs), it.id}};
  for (const auto& parent : job.depends_on)
    commands.push_back({"ZSCORE", name_of(redis_key::links),
                        keep(link_prefix(link_kind::waits, parent) + it.id)});
  auto replies = at_once(std::move(commands));
  if (!replies)
    return replies.error();
  std::uint32_t pending = 0;
  for (std::size_t i = 0; i < job.depends_on.size(); ++i)
    pending += is_text(*(*replies)->element[1 + i]) ? 1 : 0;
  const bool blocked = job.state == job_state::blocked;
  if (!text_at(**replies, 0).starts_with(it.token)
      || (pending == job.pending && !(blocked && pending == 0))
      || !find("pending", it.id,
               "it waits for " + std::to_string(pending) + " jobs"))
    return {};
  redis_group group{client_, options_};
  group.need_job(it.id);
  if (auto read = group.read(); !read)
    return read;
  auto& stored = group.at(it.id);
  if (stored.error != errc::none || stored.token != it.token)
    return {};
  auto& child = stored.record.job;
  if (pending == 0 && (blocked || child.state == job_state::paused)) {
    wait_again(child, group);
    return mend(group);
  }
  child.pending = pending;
  group.changed(stored, child.state);
  return mend(group);
}

/// Jobs of batches by state; what ended may have been forgotten since.
result<void> redis_audit::tallies() {
  auto page = scan(redis_key::tallies, "HSCAN");
  if (!page)
    return page.error();
  std::vector<std::string> batches;
  for (std::size_t i = 0; i + 1 < page->size(); i += 2)
    if ((*page)[i].size() > state_prefix_size)
      batches.push_back((*page)[i].substr(state_prefix_size));
  std::ranges::sort(batches);
  const auto doubles = std::ranges::unique(batches);
  batches.erase(doubles.begin(), doubles.end());
  for (const auto& batch : batches)
    if (auto done = check_tally(batch); !done)
      return done;
  return {};
}

/// Batches by their jobs, whether or not these are counted.
result<void> redis_audit::batches() {
  auto last = cursor_ == "0" ? std::string{} : cursor_.substr(1);
  next_ = "0";
  for (std::size_t i = 0; i < batches_at_once; ++i) {
    const auto from =
      last.empty() ? std::string{"-"} : "(" + batch_prefix(last) + "\xff";
    auto found = client_.ask({"ZRANGEBYLEX", name_of(redis_key::batches), from,
                              "+", "LIMIT", "0", "1"});
    if (!found)
      return found.error();
    const auto member = size_of(**found) == 0 ? "" : text_at(**found, 0);
    last = batch_in(member);
    if (last.empty()) {
      next_ = "0";
      return {};
    }
    ++out_.looked_at;
    next_ = "b" + last;
    if (auto done = check_tally(last); !done)
      return done;
  }
  return {};
}

/// What changes meanwhile is left to the next audit. Jobs that have ended may
/// outlive their batch.
result<void> redis_audit::check_tally(const std::string& batch) {
  redis_group group{client_, options_};
  if (auto read = group.read(); !read)
    return read;
  const auto from = "[" + batch_prefix(batch);
  const auto to = "(" + batch_prefix(batch) + "\xff";
  auto members =
    client_.ask({"ZRANGEBYLEX", name_of(redis_key::batches), from, to});
  if (!members)
    return members.error();
  std::array<std::int64_t, job_state_count> counted{}, kept{};
  for (std::size_t at = 0; at < size_of(**members); at += jobs_at_once) {
    redis_args jobs{"HMGET", name_of(redis_key::jobs)};
    for (auto i = at; i < std::min(at + jobs_at_once, size_of(**members)); ++i)
      jobs.push_back(text_at(**members, i).substr(from.size() - 1 + 8));
    auto found = client_.ask(jobs);
    if (!found)
      return found.error();
    redis_record record;
    for (std::size_t i = 0; i < size_of(**found); ++i)
      if (unpack_record(text_at(**found, i), record))
        ++counted[static_cast<std::size_t>(record.job.state)];
  }
  redis_args fields{"HMGET", name_of(redis_key::tallies)};
  for (std::size_t i = 0; i < job_state_count; ++i)
    fields.push_back(keep(state_prefix(static_cast<job_state>(i)) + batch));
  auto replies = at_once({fields,
                          {"HGET", name_of(redis_key::meta), "version"},
                          {"HEXISTS", name_of(redis_key::records),
                           keep(field_of(record_kind::batch, batch))}});
  if (!replies)
    return replies.error();
  if (text_at(**replies, 1) != group.version())
    return {};
  const bool stored = number_at(**replies, 2) != 0;
  bool wrong = false;
  for (std::size_t i = 0; i < job_state_count; ++i) {
    kept[i] = number_at(*(*replies)->element[0], i);
    const bool ended = is_terminal(static_cast<job_state>(i));
    wrong =
      wrong || (ended ? stored && counted[i] > kept[i] : counted[i] != kept[i]);
  }
  if (!wrong || !find("tally", batch, "its jobs are not as counted"))
    return {};
  group.changes.expect(redis_key::jobs, "", "x"); // nobody writes meanwhile
  for (std::size_t i = 0; i < job_state_count; ++i) {
    const bool ended = is_terminal(static_cast<job_state>(i));
    const auto count = ended ? std::max(counted[i], kept[i]) : counted[i];
    if (count != kept[i])
      group.changes.set(redis_key::tallies,
                        state_prefix(static_cast<job_state>(i)) + batch,
                        std::to_string(count));
  }
  return mend(group);
}

} // namespace troupe::store
