#include "actors/store/redis_store.hpp"

#include "actors/store/redis_operations.hpp"
#include "actors/store/redis_reply.hpp"
#include "config/fault_points.hpp"

#include <algorithm>
#include <iterator>
#include <set>

namespace troupe::store {

namespace {

/// Share of maxmemory where submits stop.
constexpr double submit_share = 0.9;
constexpr auto memory_check_interval = std::chrono::seconds{1};
/// Bytes of the server's memory for each one that was sent to it, at most.
constexpr std::uint64_t bytes_kept = 4;
/// Each that fails means that somebody else got on.
constexpr int most_attempts = 100;

errc judge(const held_lease& lease, redis_group& group) {
  const auto& it = group.at(lease.id);
  const auto& job = it.record.job;
  if (it.error != errc::none || !is_leased(job.state)
      || (job.fence != lease.fence && !TROUPE_WITHOUT(fence)))
    return errc::stale_fence;
  return renewed(job);
}

errc renew_one(const held_lease& lease, std::int64_t lease_ms,
               redis_group& group) {
  const auto verdict = judge(lease, group);
  if (verdict == errc::stale_fence)
    return verdict;
  auto& it = group.at(lease.id);
  it.record.job.lease_until = group.now() + lease_ms;
  group.changed(it, it.record.job.state);
  return verdict;
}

} // namespace

/// Asks once a second, since a submit must not cost another round trip, and
/// whenever what was written since may have filled what was left.
bool redis_store::is_short_of_memory() {
  const auto now = clock::now();
  const auto grown = bytes_kept * (client_.written() - written_then_);
  const bool may_be_full =
    memory_.plus(grown).above(submit_share) && !memory_.above(submit_share);
  if (may_be_full || now - memory_read_ > memory_check_interval) {
    const auto known = client_.memory();
    if (known)
      memory_ = *known;
    memory_read_ = now;
    written_then_ = client_.written();
  }
  return memory_.above(submit_share);
}

result<void> redis_store::attempt(const group_step& once) {
  for (int i = 0; i < most_attempts; ++i) {
    redis_group group{client_, options_};
    if (auto done = once(group); !done)
      return done;
    const auto written = group.write();
    if (!written)
      return written.error();
    if (*written)
      return {};
  }
  return fail(errc::unavailable, "redis: too many servers at once");
}

result<void> redis_store::transact(access how, const step& once) {
  bool has_room = how != access::add || !is_short_of_memory();
  const auto in_room = [&](redis_group& group) -> result<void> {
    group.has_room = has_room;
    // What was done within a day, and whether it is due, needs the time.
    if (auto begun = group.read(); !begun)
      return begun;
    if (const auto why = once(group); why != errc::none)
      return fail(why);
    return {};
  };
  auto done = attempt(in_room);
  // The server ran out of memory meanwhile: what adds nothing is done.
  if (!done && done.error().code == errc::queue_full && has_room
      && how == access::add) {
    has_room = false;
    done = attempt(in_room);
  }
  return done;
}

result<std::vector<applied>>
redis_store::apply_group(std::span<const operation> ops, bool has_room) {
  std::vector<applied> answers;
  const auto done = attempt([&](redis_group& group) -> result<void> {
    group.has_room = has_room;
    if (auto read = read_for(ops, group); !read)
      return read;
    answers = perform_all(ops, group);
    return {};
  });
  if (!done)
    return done.error();
  note_ready(ops.first(answers.size()), answers);
  if (auto safe = secure_submits(ops.first(answers.size()), answers); !safe)
    return safe.error();
  return answers;
}

/// For the next claim of queues that are claimed from here.
void redis_store::note_ready(std::span<const operation> ops,
                             std::span<const applied> answers) {
  for (std::size_t i = 0; i < ops.size(); ++i) {
    const auto& job = answers[i].job;
    if (!std::holds_alternative<submit_op>(ops[i]) || !answers[i].changed
        || job.state != job_state::queued)
      continue;
    if (const auto at = guesses_.find(job.queue); at != guesses_.end())
      at->second.add(job.id);
  }
}

/// What the server promised when it was last asked, a second ago perhaps, is
/// not enough for those who insist: it is asked behind their write.
/// @return whether jobs were told more than it promises
result<bool> redis_store::has_told_too_much(std::span<const operation> ops) {
  const auto told = client_.level();
  const auto insists = [](const operation& op) {
    const auto* submit = std::get_if<submit_op>(&op);
    return submit && submit->strict && submit->asked != durability::local
           && submit->asked != durability::memory;
  };
  if (std::ranges::any_of(ops, insists))
    if (auto known = client_.memory(); !known)
      return known.error();
  return client_.level() < told;
}

/// New jobs whose senders want more than the server gives by itself: it is
/// asked to wait for others, for each level once, since a higher one that is
/// not reached says nothing of a lower.
result<void> redis_store::secure_submits(std::span<const operation> ops,
                                         std::span<applied> answers) {
  const auto lowered = has_told_too_much(ops);
  if (!lowered)
    return lowered.error();
  std::set<durability> asked;
  std::vector<applied*> wanting, others;
  for (std::size_t i = 0; i < ops.size(); ++i) {
    const auto* submit = std::get_if<submit_op>(&ops[i]);
    if (!submit || !answers[i].changed)
      continue;
    const bool wants =
      submit->asked != durability::local && submit->asked > client_.level();
    (wants ? wanting : others).push_back(&answers[i]);
    if (wants)
      asked.insert(submit->asked);
  }
  auto reached = client_.level();
  for (const auto level : asked)
    reached = std::max(reached, client_.secure(level));
  if (*lowered)
    if (auto noted = correct(others, client_.level()); !noted)
      return noted;
  if (reached == client_.level() && !*lowered)
    return {};
  return correct(wanting, reached);
}

result<void> redis_store::correct(std::span<applied* const> answers,
                                  durability reached) {
  std::vector<std::string> ids;
  for (auto* answer : answers) {
    answer->job.reached = reached;
    ids.push_back(answer->job.id);
  }
  return note_reached(ids, reached);
}

/// Asked for behind the last write of a batch.
result<durability> redis_store::secure(durability asked,
                                       std::span<const std::string> jobs) {
  const auto told = client_.level();
  if (auto known = client_.memory(); !known)
    return known.error();
  const auto reached = client_.secure(asked);
  // Earlier parts of a long one may have been told another level.
  if (reached != told || jobs.size() > jobs_at_once())
    if (auto noted = note_reached(jobs, reached); !noted)
      return noted.error();
  return reached;
}

result<void> redis_store::note_reached(std::span<const std::string> jobs,
                                       durability reached) {
  while (!jobs.empty()) {
    const auto some = jobs.first(std::min(jobs.size(), jobs_at_once()));
    const auto done = attempt([&](redis_group& group) -> result<void> {
      for (const auto& id : some)
        group.need_job(id);
      if (auto read = group.read(); !read)
        return read;
      for (const auto& id : some) {
        auto& it = group.at(id);
        if (it.error != errc::none)
          continue;
        it.record.job.reached = reached;
        group.changed(it, it.record.job.state);
      }
      return {};
    });
    if (!done)
      return done;
    jobs = jobs.subspan(some.size());
  }
  return {};
}

result<std::vector<applied>>
redis_store::apply(std::span<const operation> ops) {
  const auto submits = [](const operation& op) {
    return std::holds_alternative<submit_op>(op)
           || std::holds_alternative<spawn_op>(op);
  };
  // Without room, submits are still answered if they were answered before.
  bool has_room = !(std::ranges::any_of(ops, submits) && is_short_of_memory());
  std::vector<applied> answers;
  answers.reserve(ops.size());
  while (answers.size() < ops.size()) {
    const auto left = ops.subspan(answers.size());
    const auto part = left.first(std::min(left.size(), jobs_at_once()));
    auto some = apply_group(part, has_room);
    if (!some && some.error().code == errc::queue_full && has_room) {
      has_room = false;
      continue;
    }
    if (!some)
      return some.error();
    std::ranges::move(*some, std::back_inserter(answers));
  }
  return answers;
}

result<std::vector<errc>>
redis_store::renew_group(std::span<const held_lease> leases,
                         std::int64_t lease_ms) {
  std::vector<errc> answers;
  const auto done = attempt([&](redis_group& group) -> result<void> {
    answers.clear();
    for (const auto& lease : leases)
      group.need_job(lease.id);
    if (auto read = group.read(); !read)
      return read;
    group.renew_clock();
    for (const auto& lease : leases)
      answers.push_back(renew_one(lease, lease_ms, group));
    return {};
  });
  if (!done)
    return done.error();
  return answers;
}

result<std::vector<errc>> redis_store::renew(std::span<const held_lease> leases,
                                             std::int64_t lease_ms) {
  std::vector<errc> answers;
  do {
    const auto left = leases.subspan(answers.size());
    auto some =
      renew_group(left.first(std::min(left.size(), jobs_per_group)), lease_ms);
    if (!some)
      return some.error();
    answers.insert(answers.end(), some->begin(), some->end());
  } while (answers.size() < leases.size());
  return answers;
}

result<std::vector<errc>>
redis_store::look_group(std::span<const held_lease> leases) {
  redis_group group{client_, options_};
  for (const auto& lease : leases)
    group.need_job(lease.id);
  if (auto read = group.read(); !read)
    return read.error();
  std::vector<errc> answers;
  answers.reserve(leases.size());
  for (const auto& lease : leases)
    answers.push_back(judge(lease, group));
  return answers;
}

result<std::vector<errc>>
redis_store::look(std::span<const held_lease> leases) {
  std::vector<errc> answers;
  do {
    const auto left = leases.subspan(answers.size());
    auto some = look_group(left.first(std::min(left.size(), jobs_per_group)));
    if (!some)
      return some.error();
    answers.insert(answers.end(), some->begin(), some->end());
  } while (answers.size() < leases.size());
  return answers;
}

result<job> redis_store::get(const std::string& id) {
  const auto reply = client_.ask({"HGET", name_of(redis_key::jobs), id});
  if (!reply)
    return reply.error();
  if (!is_text(**reply))
    return fail(errc::not_found, id);
  redis_record it;
  if (!unpack_record(text_of(**reply), it) || it.job.id != id)
    return fail(errc::corrupt, id);
  return std::move(it.job);
}

result<std::unique_ptr<job_store>>
open_redis_store(const store_options& options) {
  auto address = read_redis_url(options.url);
  if (!address)
    return address.error();
  auto store = std::make_unique<redis_store>(options, std::move(*address));
  if (auto opened = store->open(); !opened)
    return opened.error();
  return std::unique_ptr<job_store>{std::move(store)};
}

} // namespace troupe::store
