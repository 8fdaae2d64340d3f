#include "actors/store/redis_ready.hpp"
#include "actors/store/redis_reply.hpp"
#include "actors/store/redis_store.hpp"
#include "actors/store/transitions.hpp"

#include <algorithm>

/// What is ready, best first, and its leases.
namespace troupe::store {

namespace {

/// Names that one step lets go at most.
constexpr std::size_t names_per_step = 64;

/// What a group of a claim has found.
struct claim_step {
  std::vector<job> jobs;
  std::vector<std::string> lanes; ///< that had any
  bool due = false;    ///< jobs wait for their promotion; nothing was done
  bool wakes = false;  ///< groups wait to be let go; nothing was done
  bool more = false;   ///< there may be more
  bool limits = false; ///< there are limits
  timestamp_ms next_at = 0;
};

/// What a lane tells of its jobs.
job_draft place_of(const candidate& it, const std::string& queue) {
  job_draft place;
  place.queue = queue;
  place.concurrency_key = key_of_lane(it.lane());
  enter_lane(place, it.lane().back());
  return place;
}

void lease_all(const std::vector<candidate>& ready,
               const claim_request& request, redis_group& group,
               redis_gate& gate, claim_step& out) {
  std::size_t bytes = 0;
  gate.reset();
  for (const auto& one : ready) {
    auto& it = group.at(one.id());
    auto& job = it.record.job;
    out.more = true;
    if (bytes > bytes_per_group)
      break;
    if (it.error == errc::corrupt) {
      group.bury(one.id(), place_of(one, request.queue), one.rank());
    } else if (it.error != errc::none || job.state != job_state::queued) {
      // Nothing of it is ready: the member would be found for ever.
      it.is_guarded = true;
      group.changes.touch(std::string{one.lane()});
      group.changes.remove(redis_key::ready, one.member);
    } else {
      gate.take(key_of_lane(one.lane()));
      lease(job, request, group.now());
      group.changed(it, job_state::queued);
      out.jobs.push_back(job);
      bytes += it.bytes;
    }
  }
}

/// Reads heads and what of limits is not known from the start.
/// @return false if there is nothing to be claimed now
result<bool> look(const claim_request& request, bool promoted,
                  const claim_guess& guess, ready_reader& ready,
                  redis_gate& gate, redis_group& group, claim_step& out) {
  group.need({"ZRANGE", name_of(redis_key::schedule), "0", "0", "WITHSCORES"});
  const auto asked = gate.expects_limits() ? gate.need_queue() : 0;
  ready.need_heads(guess);
  if (auto read = group.read(); !read)
    return read.error();
  const auto due = number_at(group.extra(0), 1);
  out.due = !promoted && due != 0 && due <= group.now();
  if (out.due || request.max == 0)
    return false;
  ready.take_heads(1 + asked);
  if (asked > 0)
    gate.take_queue(1);
  out.limits = gate.limits();
  if (out.limits && asked == 0) {
    gate.need_queue();
    if (auto read = group.read(); !read)
      return read.error();
    gate.take_queue(0);
  }
  out.wakes = gate.has_due();
  out.next_at = gate.next_at();
  return !out.wakes && gate.room() > 0;
}

result<void> claim_once(const claim_request& request, bool promoted,
                        bool expects_limits, const claim_guess& guess,
                        redis_group& group, claim_step& out) {
  out = {};
  redis_gate gate{group, request.queue, expects_limits};
  ready_reader ready{group, gate, request.queue,
                     std::min<std::size_t>(request.max, group.most_jobs())};
  const auto found = look(request, promoted, guess, ready, gate, group, out);
  if (!found)
    return found.error();
  if (!*found)
    return {};
  auto best = ready.best();
  if (!best)
    return best.error();
  if (request.urgent)
    std::erase_if(*best, [](const candidate& one) {
      return !is_urgent(score_in(one.rank()));
    });
  for (const auto& one : *best)
    group.need_job(one.id());
  if (auto read = group.read(); !read)
    return read;
  lease_all(*best, request, group, gate, out);
  gate.write();
  const bool parked = ready.park_full();
  out.more = out.more || (parked && ready.is_cut());
  out.next_at = gate.next_at();
  out.lanes = ready.take_lanes();
  return {};
}

} // namespace

result<void> redis_store::promote_due(std::vector<job>& promoted) {
  sweep_result done;
  bool more = true;
  while (more && done.queued.size() < max_promote) {
    const auto before = done.queued.size();
    const auto most = jobs_at_once();
    if (auto some = promote(most, done); !some)
      return some;
    more = done.queued.size() == before + most;
  }
  std::ranges::move(done.queued, std::back_inserter(promoted));
  return {};
}

namespace {

/// Lets go the lanes of a queue that are parked, a step of them.
/// @return false when more are left
result<bool> let_go_queue(std::string_view queue, redis_group& group) {
  const auto prefix = "h" + queue_prefix(queue);
  const auto from = "[" + prefix;
  const auto to = "(" + prefix + "\xff";
  const auto most = std::to_string(jobs_per_group);
  group.need(
    {"ZRANGEBYLEX", name_of(redis_key::parked), from, to, "LIMIT", "0", most});
  if (auto read = group.read(); !read)
    return read.error();
  const auto& heads = group.extra(0);
  for (std::size_t i = 0; i < size_of(heads); ++i) {
    const auto head = text_at(heads, i).substr(1);
    if (head.size() <= prefix.size() + rank_size)
      continue;
    const auto lane = prefix.substr(1)
                      + std::string{head.substr(prefix.size() - 1 + rank_size)};
    group.changes.run(flow_name_of_key(key_of_lane(lane)), 0);
  }
  return size_of(heads) < jobs_per_group;
}

result<void> let_go_due(redis_group& group) {
  if (auto read = group.read(); !read)
    return read;
  const auto now = std::to_string(group.now());
  const auto most = std::to_string(names_per_step);
  group.need({"ZRANGEBYSCORE", name_of(redis_key::tokens), "-inf", now, "LIMIT",
              "0", most});
  if (auto read = group.read(); !read)
    return read;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < size_of(group.extra(0)); ++i)
    names.emplace_back(text_at(group.extra(0), i));
  for (const auto& name : names) {
    if (name.starts_with('q')) {
      const auto all = let_go_queue(name.substr(1), group);
      if (!all)
        return all.error();
      if (!*all)
        return {};
    } else {
      group.changes.run(name, 0);
    }
    group.changes.remove(redis_key::tokens, name);
  }
  return {};
}

} // namespace

result<claim_result> redis_store::claim(const claim_request& request) {
  claim_result out;
  bool promoted = false;
  auto rest = request;
  auto& guess = guesses_[request.queue];
  do {
    rest.max = request.max - static_cast<std::uint32_t>(out.jobs.size());
    claim_step got;
    const auto done = attempt([&](redis_group& group) {
      return claim_once(rest, promoted, expects_limits_, guess, group, got);
    });
    if (!done)
      return done.error();
    expects_limits_ = out.limited = got.limits;
    out.next_at = got.next_at;
    guess.learn(std::move(got.lanes), got.jobs);
    if (got.due) {
      if (auto some = promote_due(out.promoted); !some)
        return some.error();
    } else if (got.wakes) {
      if (auto some = attempt(let_go_due); !some)
        return some.error();
    } else if (!got.more) {
      break;
    }
    promoted = true;
    std::ranges::move(got.jobs, std::back_inserter(out.jobs));
  } while (out.jobs.size() < request.max);
  if (out.jobs.size() == request.max)
    out.next_at = 0;
  return out;
}

} // namespace troupe::store
