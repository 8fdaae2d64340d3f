#include "actors/store/dependants.hpp"
#include "actors/store/put_off.hpp"
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
/// Where the body of a record begins, behind its token.
constexpr std::size_t body_at = 8;

/// A member of `links`: kind, size of the owner, owner, member.
struct split_link {
  char kind = 0;
  std::string owner, member;
};

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

std::string release_of(const std::string& owner) {
  return std::string(1, static_cast<char>(record_kind::release)) + owner;
}

} // namespace

/// A job waits for one that is stored, whose end, be it past, will be noticed.
result<void> redis_audit::links() {
  auto page = scan(redis_key::links, "ZSCAN");
  if (!page)
    return page.error();
  std::vector<split_link> found;
  std::vector<redis_args> commands;
  for (std::size_t i = 0; i + 1 < page->size(); i += 2) {
    auto it = split((*page)[i]);
    if (it.kind != static_cast<char>(link_kind::waits)
        && it.kind != static_cast<char>(link_kind::holds))
      continue;
    const auto jobs = name_of(redis_key::jobs);
    commands.push_back({"HGET", jobs, keep(it.owner)});
    commands.push_back({"HGET", jobs, keep(it.member)});
    commands.push_back(
      {"HEXISTS", name_of(redis_key::records), keep(release_of(it.owner))});
    commands.push_back({"ZSCORE", name_of(redis_key::links), keep((*page)[i])});
    found.push_back(std::move(it));
  }
  if (commands.empty())
    return {};
  auto replies = at_once(std::move(commands));
  if (!replies)
    return replies.error();
  for (std::size_t i = 0; i < found.size(); ++i)
    if (auto done = check_link(found[i].kind, found[i].owner, found[i].member,
                               **replies, 4 * i);
        !done)
      return done;
  return {};
}

result<void> redis_audit::check_link(char kind, const std::string& owner,
                                     const std::string& member,
                                     const redisReply& replies,
                                     std::size_t at) {
  if (!is_text(*replies.element[at + 3]))
    return {};
  redis_record parent;
  const auto stored = text_at(replies, at);
  const auto child = text_at(replies, at + 1);
  const bool orphan = stored.empty() || child.empty();
  const bool forgotten =
    kind == static_cast<char>(link_kind::waits) && unpack_record(stored, parent)
    && is_terminal(parent.job.state) && number_at(replies, at + 2) == 0;
  if (!orphan && !forgotten)
    return {};
  if (!find(orphan ? "orphan" : "release", member,
            orphan ? "it or what it waits for does not exist"
                   : "nobody tells it that " + owner + " has ended"))
    return {};
  redis_group group{client_, options_};
  if (auto read = group.read(); !read)
    return read;
  group.changes.expect(redis_key::jobs, owner,
                       stored.substr(0, record_token_size));
  group.changes.expect(redis_key::jobs, member,
                       child.substr(0, record_token_size));
  if (orphan)
    group.unlink(static_cast<link_kind>(kind), owner, member);
  else
    group.write(record_kind::release, owner, {}, group.now());
  return mend(group);
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

/// Nobody can mend what cannot be read; whoever knows what it was replaces it.
result<void> redis_audit::records() {
  auto page = scan(redis_key::records, "HSCAN");
  if (!page)
    return page.error();
  for (std::size_t i = 0; i + 1 < page->size(); i += 2) {
    const std::string_view field = (*page)[i];
    const std::string_view value = (*page)[i + 1];
    const auto body = value.substr(std::min(value.size(), body_at));
    if (!field.empty()
        && !can_be_read(static_cast<record_kind>(field.front()), body))
      find("record", std::string{field.substr(1)}, "it cannot be read");
  }
  return {};
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

/// What changes meanwhile is left to the next audit.
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
  auto replies =
    at_once({fields, {"HGET", name_of(redis_key::meta), "version"}});
  if (!replies)
    return replies.error();
  if (text_at(**replies, 1) != group.version())
    return {};
  bool wrong = false;
  for (std::size_t i = 0; i < job_state_count; ++i) {
    kept[i] = number_at(*(*replies)->element[0], i);
    const bool ended = is_terminal(static_cast<job_state>(i));
    wrong = wrong || (ended ? counted[i] > kept[i] : counted[i] != kept[i]);
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
