#include "actors/store/redis_store.hpp"

#include "actors/store/redis_job.hpp"
#include "actors/store/transitions.hpp"

#include <hiredis/hiredis.h>

#include <algorithm>

namespace troupe::store {

namespace {

/// Share of maxmemory where submits stop.
constexpr double submit_share = 0.9;
constexpr auto memory_check_interval = std::chrono::seconds{1};

} // namespace

script_settings redis_store::settings(std::int64_t lease_ms) const {
  return {.clock_offset_ms =
            options_.clock_offset_ms ? options_.clock_offset_ms() : 0,
          .ageing_ms = options_.ageing_ms,
          .max_queued = options_.max_queued,
          .lease_ms = options_.lease_ms,
          .given_lease_ms = lease_ms};
}

result<redis_store::replies>
redis_store::run(std::span<const script_call> calls, std::int64_t lease_ms) {
  return client_.run(calls, settings(lease_ms));
}

/// Asks at most once a second: a submit must not cost another round trip.
bool redis_store::is_short_of_memory() {
  const auto now = clock::now();
  if (now - memory_read_ > memory_check_interval) {
    const auto known = client_.memory();
    if (known)
      memory_ = *known;
    memory_read_ = now;
  }
  return memory_.above(submit_share);
}

result<std::vector<applied>>
redis_store::apply(std::span<const operation> ops) {
  const auto calls = calls_for(ops, level());
  auto given = settings(options_.lease_ms);
  const auto submits = [](const script_call& call) {
    return call.which() == redis_script::submit;
  };
  // Without room, submits are still answered if they were answered before.
  if (std::ranges::any_of(calls, submits) && is_short_of_memory())
    given.max_queued = 0;
  const auto got = client_.run(calls, given);
  if (!got)
    return got.error();
  std::vector<applied> answers;
  answers.reserve(ops.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const auto read =
      read_applied(*(*got)[i], operations_in(calls[i]), answers);
    if (!read)
      return read.error();
  }
  return answers;
}

result<void> redis_store::promote_due() {
  for (std::size_t done = 0; done < max_promote; done += jobs_per_script) {
    script_call call{redis_script::promote};
    call.keep(std::to_string(jobs_per_script));
    const auto got = run({&call, 1}, options_.lease_ms);
    if (!got)
      return got.error();
    if (size_of(*got->front()) < 2 + jobs_per_script)
      return {};
  }
  return {};
}

/// @return false when there are due jobs to promote first
result<bool> redis_store::claim_once(const claim_request& request,
                                     bool promoted, std::vector<job>& out) {
  std::vector<script_call> calls;
  std::size_t left = request.max;
  do {
    const auto part = std::min(left, jobs_per_script);
    auto& call = calls.emplace_back(redis_script::claim);
    call.keep(lane_prefix(request.queue));
    call.refer(request.node);
    call.keep(pack_nonce(request.nonce));
    call.keep(std::to_string(part));
    call.refer(promoted ? "1" : "0");
    left -= part;
  } while (left > 0);
  const auto got = run(calls, request.lease_ms);
  if (!got)
    return got.error();
  bool complete = true;
  for (const auto& reply : *got) {
    complete = complete && number_at(*reply, 0) == 0;
    if (auto read = read_jobs(*reply, 1, out); !read)
      return read.error();
  }
  return complete;
}

result<std::vector<job>> redis_store::claim(const claim_request& request) {
  std::vector<job> claimed;
  auto complete = claim_once(request, false, claimed);
  if (complete && !*complete) {
    if (auto promoted = promote_due(); !promoted)
      return promoted.error();
    auto rest = request;
    rest.max -= static_cast<std::uint32_t>(claimed.size());
    complete = claim_once(rest, true, claimed);
  }
  if (!complete)
    return complete.error();
  return claimed;
}

result<std::vector<errc>> redis_store::renew(std::span<const held_lease> leases,
                                             std::int64_t lease_ms) {
  std::vector<script_call> calls;
  calls.emplace_back(redis_script::renew);
  for (const auto& lease : leases) {
    if (calls.back().args().size() >= 2 * jobs_per_script)
      calls.emplace_back(redis_script::renew);
    calls.back().refer(lease.id);
    calls.back().keep(pack_fence(lease.fence));
  }
  const auto got = run(calls, lease_ms);
  if (!got)
    return got.error();
  std::vector<errc> answers;
  answers.reserve(leases.size());
  for (const auto& reply : *got)
    for (std::size_t i = 0; i < size_of(*reply); ++i)
      answers.push_back(static_cast<errc>(number_at(*reply, i)));
  return answers;
}

result<job> redis_store::get(const std::string& id) {
  const auto reply = client_.ask({"HGET", redis_key::jobs, id});
  if (!reply)
    return reply.error();
  if ((*reply)->type == REDIS_REPLY_NIL)
    return fail(errc::not_found, id);
  const auto bytes = read_text(**reply);
  if (!bytes)
    return bytes.error();
  job it;
  if (!unpack_from_redis(*bytes, it))
    return fail(errc::corrupt, id);
  return it;
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
