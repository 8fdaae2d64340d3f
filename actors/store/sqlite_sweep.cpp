#include "actors/store/dependants.hpp"
#include "actors/store/follow.hpp"
#include "actors/store/sqlite_store.hpp"

#include "config/fault_points.hpp"

#include <algorithm>
#include <array>

/// What time does to jobs: promotion, expiry, retention.
namespace troupe::store {

namespace {

/// The order in which jobs over `retention_count` go.
constexpr std::array terminal_states{job_state::succeeded, job_state::cancelled,
                                     job_state::failed};

void pull_forward(timestamp_ms& due, timestamp_ms at) {
  if (due == 0 || at < due)
    due = at;
}

} // namespace

std::vector<std::int64_t> sqlite_store::take(cursor rows, std::size_t max,
                                             bool& more) {
  std::vector<std::int64_t> found;
  while (found.size() < max && rows.next())
    found.push_back(rows.number(0));
  more = more || (found.size() == max && max > 0);
  return found;
}

void sqlite_store::promote_due(timestamp_ms now, std::size_t max,
                               sweep_result& out) {
  for (const auto seq :
       take(due_.start(now, std::int64_t(max)), max, out.more)) {
    auto found = rows_.load(seq);
    if (!found) {
      in_.bury(seq);
      continue;
    }
    promote(found->job);
    in_.save_row(*found);
    out.queued.push_back(std::move(found->job));
  }
}

alive_clock sqlite_store::read_clock() {
  auto row = clock_.start();
  if (!row.next())
    return {};
  return {row.number(0), row.number(1)};
}

void sqlite_store::end_lease(stored_job found, const sweep_request& request,
                             bool lost, sweep_result& out) {
  auto& it = found.job;
  if (it.publishing)
    roll_forward(it, request, out.now);
  else if (lost)
    expire(it, out.now);
  else
    take_back(it, out.now);
  in_.save_row(found);
  auto& told = it.publishing ? out.roll_forward : out.expired;
  told.push_back(std::move(it));
}

void sqlite_store::expire_due(const sweep_request& request, sweep_result& out) {
  if (!read_clock().may_expire(out.now, options_.lease_ms)
      && !TROUPE_WITHOUT(alive_grace))
    return;
  const auto max = request.max;
  for (const auto seq :
       take(expired_.start(out.now, std::int64_t{max}), max, out.more)) {
    if (auto found = rows_.load(seq))
      end_lease(std::move(*found), request, true, out);
    else
      in_.bury(seq);
  }
}

std::size_t sqlite_store::trim_state(job_state state, timestamp_ms until,
                                     std::size_t max, trim_place& from,
                                     bool& more) {
  if (max == 0)
    return 0;
  struct row {
    trim_place place;
    std::string id;
  };
  std::vector<row> rows;
  {
    auto found = finished_.start(static_cast<std::int64_t>(state), until,
                                 from.finished_at, from.seq, std::int64_t(max));
    while (found.next())
      rows.push_back(
        {{found.number(1), found.number(0)}, std::string{found.text(2)}});
  }
  from = rows.size() < max || rows.empty() ? trim_place{} : rows.back().place;
  std::size_t gone = 0;
  for (const auto& [place, id] : rows) {
    const auto found = in_.find(id);
    if (found && is_kept(*found.it, in_))
      continue;
    if (found)
      forget_job(*found.it, in_);
    else
      rows_.erase(place.seq);
    ++gone;
  }
  more = more || (rows.size() == max && gone > 0);
  return gone;
}

std::size_t sqlite_store::trim_excess(std::size_t max, bool& more) {
  std::int64_t finished = 0;
  for (const auto& [queue, counts] : rows_.depths())
    for (const auto state : terminal_states)
      finished += counts[static_cast<std::size_t>(state)];
  const auto excess = std::max<std::int64_t>(
    finished - std::int64_t(options_.retention_count), 0);
  const auto wanted = std::min(max, std::size_t(excess));
  std::size_t gone = 0;
  bool some_more = false;
  for (const auto state : terminal_states)
    gone += trim_state(state, INT64_MAX, wanted - gone,
                       surplus_[static_cast<std::size_t>(state)], some_more);
  more = more || (some_more && gone < std::size_t(excess));
  return gone;
}

void sqlite_store::trim(const sweep_request& request, sweep_result& out) {
  const std::size_t max = request.max;
  std::size_t gone = 0;
  for (const auto state : terminal_states)
    gone += trim_state(state, out.now - options_.retention_ms, max - gone,
                       old_[static_cast<std::size_t>(state)], out.more);
  trim_excess(max - gone, out.more);
  const auto answers =
    drop_answers_.run(out.now - idempotency_ms, std::int64_t(max));
  out.more = out.more || std::size_t(answers) == max;
}

void sqlite_store::find_next_due(sweep_result& out) {
  if (const auto at = in_.next_due(due_lane::follow); at != 0)
    pull_forward(out.next_due, at);
  {
    auto row = first_due_.start();
    if (row.next())
      pull_forward(out.next_due, row.number(0));
  }
  auto row = first_lease_.start();
  if (!row.next())
    return;
  const auto clock = read_clock();
  auto due = std::max(row.number(0), clock.grace_until);
  // During a gap nobody knows; a renewal is awaited first.
  if (due <= out.now)
    due = out.now + options_.lease_ms / 2;
  pull_forward(out.next_due, due);
}

result<sweep_result> sqlite_store::sweep(const sweep_request& request) {
  sweep_result out;
  follow_result followed;
  in_.begin(true);
  out.now = in_.now();
  promote_due(out.now, request.max, out);
  expire_due(request, out);
  trim(request, out);
  follow_step(in_, options_, request.max, followed);
  take_in(std::move(followed), out);
  find_next_due(out);
  if (auto done = in_.end(); !done)
    return done.error();
  return out;
}

result<sweep_result> sqlite_store::adopt(const sweep_request& request) {
  sweep_result out;
  in_.begin(true);
  out.now = in_.now();
  bool all = false;
  for (const auto seq : take(leases_.start(request.node), SIZE_MAX, all)) {
    auto found = rows_.load(seq);
    if (!found)
      in_.bury(seq);
    else if (is_kept(found->job, request))
      continue;
    else if (out.expired.size() + out.roll_forward.size() < request.max)
      end_lease(std::move(*found), request,
                request.reason == release_reason::node_lost, out);
    else
      out.more = true;
  }
  find_next_due(out);
  if (auto done = in_.end(); !done)
    return done.error();
  return out;
}

} // namespace troupe::store
