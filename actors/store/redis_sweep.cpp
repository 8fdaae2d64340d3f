#include "actors/store/dependants.hpp"
#include "actors/store/follow.hpp"
#include "actors/store/redis_reply.hpp"
#include "actors/store/redis_store.hpp"
#include "config/fault_points.hpp"

#include <algorithm>

/// What time does to jobs: promotion and expiry; retention is in redis_trim.
namespace troupe::store {

namespace {

/// Share of maxmemory where retention forgets whatever it may.
constexpr double retention_share = 0.7;

/// The earlier of two times, of which 0 means never.
timestamp_ms earlier(timestamp_ms one, timestamp_ms other) {
  if (one == 0 || other == 0)
    return std::max(one, other);
  return std::min(one, other);
}

/// What a sorted set by time holds.
struct timetable {
  std::vector<std::string> due;
  timestamp_ms next = 0; ///< the first that is not; 0: none
};

/// Of a reply with scores, those of up to `now`.
timetable read_times(const redisReply& reply, timestamp_ms now,
                     std::size_t most) {
  timetable times;
  for (std::size_t i = 0; i + 1 < size_of(reply); i += 2) {
    const auto at = number_at(reply, i + 1);
    if (at == 0) // infinity: see `keep_fast`
      break;
    if (at > now || times.due.size() == most) {
      times.next = at;
      break;
    }
    times.due.emplace_back(text_at(reply, i));
  }
  return times;
}

/// A lease ends that was lost, or that an earlier life held.
void end_lease(redis_group::entry& it, const sweep_request& request, bool lost,
               redis_group& group, sweep_result& out) {
  auto& job = it.record.job;
  const auto before = job.state;
  if (job.publishing)
    roll_forward(job, request, group.now());
  else if (lost)
    expire(job, group.now());
  else
    take_back(job, group.now());
  group.changed(it, before);
  (job.publishing ? out.roll_forward : out.expired).push_back(job);
}

result<void> read_jobs(const std::vector<std::string>& ids,
                       redis_group& group) {
  for (const auto& id : ids)
    group.need_job(id);
  return group.read();
}

} // namespace

result<void> redis_store::promote(std::size_t most, sweep_result& out) {
  const auto last = std::to_string(most);
  const auto before = out.queued.size();
  return attempt([&](redis_group& group) -> result<void> {
    out.queued.resize(before);
    group.need(
      {"ZRANGE", name_of(redis_key::schedule), "0", last, "WITHSCORES"});
    if (auto read = group.read(); !read)
      return read;
    const auto times = read_times(group.extra(0), group.now(), most);
    out.now = group.now();
    out.next_due = times.next;
    if (auto read = read_jobs(times.due, group); !read)
      return read;
    for (const auto& id : times.due) {
      auto& it = group.at(id);
      if (it.error == errc::none
          && it.record.job.state == job_state::scheduled) {
        store::promote(it.record.job);
        group.changed(it, job_state::scheduled);
        out.queued.push_back(it.record.job);
      } else {
        it.is_guarded = true;
        group.changes.remove(redis_key::schedule, id);
      }
    }
    return {};
  });
}

namespace {

void expire_all(const std::vector<std::string>& ids,
                const sweep_request& request, redis_group& group,
                sweep_result& out) {
  for (const auto& id : ids) {
    auto& it = group.at(id);
    const auto until =
      it.error == errc::none ? it.record.job.lease_until : timestamp_ms{0};
    if (until != 0 && until <= group.now()) {
      end_lease(it, request, true, group, out);
      continue;
    }
    it.is_guarded = true;
    if (until == 0)
      group.changes.remove(redis_key::leases, id);
    else
      group.changes.add(redis_key::leases, id, until);
  }
}

} // namespace

result<void> redis_store::expire(const sweep_request& request, std::size_t most,
                                 sweep_result& out) {
  const auto last = std::to_string(most);
  const auto due_before = out.next_due;
  return attempt([&](redis_group& group) -> result<void> {
    out.expired.clear();
    out.roll_forward.clear();
    group.need({"ZRANGE", name_of(redis_key::leases), "0", last, "WITHSCORES"});
    if (auto read = group.read(); !read)
      return read;
    const auto& alive = group.alive();
    const auto now = group.now();
    const bool may =
      alive.may_expire(now, options_.lease_ms) || TROUPE_WITHOUT(alive_grace);
    const auto times = read_times(group.extra(0), may ? now : 0, most);
    if (auto read = read_jobs(times.due, group); !read)
      return read;
    expire_all(times.due, request, group, out);
    auto next = times.next;
    if (!out.roll_forward.empty())
      next = earlier(next, out.roll_forward.front().lease_until);
    if (next != 0)
      next = std::max(next, alive.grace_until);
    // During a gap nobody knows; a renewal is awaited first.
    if (next != 0 && next <= now)
      next = now + options_.lease_ms / 2;
    out.next_due = earlier(due_before, next);
    return {};
  });
}

result<void> redis_store::find_next_due(sweep_result& out) {
  return transact(access::read, [&](transaction& in) {
    out.next_due = earlier(out.next_due, in.next_due(due_lane::follow));
    return errc::none;
  });
}

result<sweep_result> redis_store::sweep(const sweep_request& request) {
  const auto memory = client_.memory();
  if (!memory)
    return memory.error();
  const auto most = std::min<std::size_t>(request.max, jobs_at_once());
  sweep_result done;
  if (auto some = promote(most, done); !some)
    return some.error();
  if (auto some = expire(request, most, done); !some)
    return some.error();
  done.more = done.queued.size() == most
              || done.expired.size() + done.roll_forward.size() == most;
  if (auto some = trim(memory->above(retention_share), most, done); !some)
    return some.error();
  auto followed = follow(request);
  // Without memory for new jobs, the rest of a sweep goes on.
  if (!followed && followed.error().code != errc::queue_full)
    return followed.error();
  if (followed)
    take_in(std::move(*followed), done);
  if (auto some = find_next_due(done); !some)
    return some.error();
  return done;
}

result<void> redis_store::adopt_group(std::span<const std::string> ids,
                                      const sweep_request& request,
                                      sweep_result& out) {
  sweep_result some;
  const auto done = attempt([&](redis_group& group) -> result<void> {
    some = {};
    for (const auto& id : ids)
      group.need_job(id);
    if (auto read = group.read(); !read)
      return read;
    some.now = group.now();
    for (const auto& id : ids) {
      auto& it = group.at(id);
      const auto& job = it.record.job;
      if (it.error == errc::none && job.lease_until != 0
          && job.node == request.node && !is_kept(job, request))
        end_lease(it, request, request.reason == release_reason::node_lost,
                  group, some);
    }
    return {};
  });
  if (!done)
    return done;
  std::ranges::move(some.expired, std::back_inserter(out.expired));
  std::ranges::move(some.roll_forward, std::back_inserter(out.roll_forward));
  out.now = out.next_due = some.now; // a sweep tells more
  return {};
}

result<sweep_result> redis_store::adopt(const sweep_request& request) {
  const auto reply =
    client_.ask({"ZRANGE", name_of(redis_key::leases), "0", "-1"});
  if (!reply)
    return reply.error();
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < size_of(**reply); ++i)
    ids.emplace_back(text_at(**reply, i));
  sweep_result done;
  std::span<const std::string> left{ids};
  do {
    const auto part = left.first(std::min(left.size(), jobs_at_once()));
    if (auto some = adopt_group(part, request, done); !some)
      return some.error();
    left = left.subspan(part.size());
  } while (!left.empty());
  return done;
}

} // namespace troupe::store
