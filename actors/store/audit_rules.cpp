#include "actors/store/audit_rules.hpp"

#include "actors/store/callbacks.hpp"
#include "actors/store/schedules.hpp"
#include "actors/store/stream_record.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace troupe::store {

namespace {

/// Clocks of servers differ, and what could not be done is tried again later:
/// nothing is wrong before.
constexpr std::int64_t slack_ms = 120'000;
/// No server's lease is longer.
constexpr std::int64_t far_ms = 3'600'000;
constexpr std::size_t longest_queue = 255;
/// As the configuration allows.
constexpr std::int64_t longest_ageing_ms = 86'400'000;

due_times times_of_batch(std::string_view body, timestamp_ms now) {
  const auto it = unpack_batch(body);
  if (!it)
    return {};
  if (it->phase == batch_phase::staging)
    return {now + staging_ms, now + staging_ms + slack_ms};
  if (it->phase == batch_phase::opening)
    return {now, now + slack_ms};
  // Its retention is the follower's to know, who puts it off.
  return {it->finished_at, INT64_MAX};
}

due_times times_of_schedule(std::string_view body, timestamp_ms now) {
  const auto it = unpack_schedule(body);
  if (!it || it->next_at == 0)
    return {};
  return {it->next_at, std::max(it->next_at, now + slack_ms)};
}

due_times times_of_stream(std::string_view body, timestamp_ms now) {
  const auto it = unpack_stream(body);
  if (!it)
    return {};
  return {it->expires_at, std::max(it->expires_at, now + slack_ms)};
}

due_times times_of_callback(std::string_view body) {
  const auto it = unpack_callback(body);
  if (!it)
    return {};
  return {it->due_at, it->due_at};
}

} // namespace

job corrupt_job(job known, timestamp_ms now) {
  if (known.type.empty())
    known.type = unknown_name;
  if (known.queue.empty() || known.queue.size() > longest_queue)
    known.queue = unknown_name;
  if (known.created_at == 0)
    known.created_at = now;
  if (known.run_at == 0)
    known.run_at = now;
  known.pending = 0;
  known.followed = true; // whoever may wait for it is told
  give_up(known, {"corrupt", "what was stored of it cannot be read", false, 0},
          now);
  return known;
}

due_times due_times_of(record_kind kind, std::string_view body,
                       timestamp_ms now) {
  switch (kind) {
  case record_kind::release:
  case record_kind::unhold:
  case record_kind::progress:
    return {now, now + slack_ms};
  case record_kind::batch:
    return times_of_batch(body, now);
  case record_kind::schedule:
    return times_of_schedule(body, now);
  case record_kind::callback:
    return times_of_callback(body);
  case record_kind::stream:
    return times_of_stream(body, now);
  case record_kind::staged:
  case record_kind::log:
    break;
  }
  return {};
}

std::string_view why_endless(const batch_record& it,
                             const transaction::counters& jobs, bool noticed) {
  if (it.phase != batch_phase::open || it.finished_at != 0)
    return {};
  std::int64_t there = 0, ended = 0;
  for (std::size_t i = 0; i < job_state_count; ++i) {
    there += jobs[i];
    ended += is_terminal(static_cast<job_state>(i)) ? jobs[i] : 0;
  }
  const auto total = static_cast<std::int64_t>(it.total);
  if (there < total)
    return "some of its jobs are gone";
  if (ended >= total && !noticed)
    return "nobody notices that all of its jobs have ended";
  return {};
}

std::string_view wrong_in_limit(std::string_view bytes, timestamp_ms now,
                                flow_limit& mended) {
  flow_limit it;
  mended = {};
  if (!unpack_limit(bytes, it) || !std::isfinite(it.rate_per_s)
      || it.rate_per_s < 0)
    return "it cannot be read: what it limited is not limited";
  mended = it;
  settle_bucket(mended, now);
  if (it.full_at_us - mended.full_at_us > slack_ms * 1000)
    return "it owes more than its rate allows";
  return {};
}

bool is_misplaced(const job& it, std::int64_t score) noexcept {
  if (is_terminal(it.state))
    return false;
  if (it.deadline_ms > 0)
    return score != score_of(it, 0);
  const auto ahead = it.run_at - score;
  if (it.priority <= 0)
    return ahead != 0;
  return ahead < 0 || ahead % it.priority != 0
         || ahead / it.priority > longest_ageing_ms;
}

bool is_endless(timestamp_ms lease_until, timestamp_ms now) noexcept {
  return lease_until > now + far_ms;
}

timestamp_ms latest_expiry(timestamp_ms now) noexcept {
  return now + idempotency_ms + slack_ms;
}

bool is_ahead(const alive_clock& it, timestamp_ms now) noexcept {
  return it.alive > now + far_ms || it.grace_until > now + far_ms;
}

} // namespace troupe::store
