#include "actors/store/redis_job.hpp"
#include "actors/store/redis_store.hpp"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <array>

/// What time does to jobs: promotion, expiry, retention.
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

/// Appends what lua/expire.lua and lua/adopt.lua answer.
result<void> read_settled(const redisReply& reply, std::vector<job>& settled,
                          std::vector<job>& roll_forward) {
  for (std::size_t i = 2; i + 1 < size_of(reply); i += 2) {
    const auto bytes = read_text(*reply.element[i + 1]);
    if (!bytes)
      return bytes.error();
    auto& into = number_at(reply, i) == 1 ? roll_forward : settled;
    if (!unpack_from_redis(*bytes, into.emplace_back()))
      return fail(errc::corrupt, "redis: a job that cannot be read");
  }
  return {};
}

} // namespace

result<sweep_result> redis_store::sweep(const sweep_request& request) {
  const auto memory = client_.memory();
  if (!memory)
    return memory.error();
  const auto most = std::min<std::size_t>(request.max, jobs_per_script);
  std::array calls{script_call{redis_script::promote},
                   script_call{redis_script::expire},
                   script_call{redis_script::trim}};
  calls[0].keep(std::to_string(most));
  calls[1].refer(request.node);
  calls[1].keep(pack_nonce(request.nonce));
  calls[1].keep(std::to_string(most));
  calls[2].keep(std::to_string(options_.retention_ms));
  calls[2].keep(std::to_string(options_.retention_count));
  calls[2].keep(std::to_string(most));
  calls[2].refer(memory->above(retention_share) ? "1" : "0");
  const auto got = run(calls, request.lease_ms);
  if (!got)
    return got.error();
  const auto& promoted = *(*got)[0];
  const auto& expired = *(*got)[1];
  sweep_result done;
  if (auto read = read_jobs(promoted, 2, done.queued); !read)
    return read.error();
  if (auto read = read_settled(expired, done.expired, done.roll_forward); !read)
    return read.error();
  done.now = number_at(promoted, 1);
  done.next_due = earlier(number_at(promoted, 0), number_at(expired, 0));
  done.more = done.queued.size() == most
              || done.expired.size() + done.roll_forward.size() == most
              || (*got)[2]->integer == 1;
  return done;
}

result<std::vector<std::string>> redis_store::leased_ids() {
  const auto reply = client_.ask({"ZRANGE", redis_key::leases, "0", "-1"});
  if (!reply)
    return reply.error();
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < size_of(**reply); ++i) {
    const auto id = read_text(*(*reply)->element[i]);
    if (!id)
      return id.error();
    ids.emplace_back(*id);
  }
  return ids;
}

result<sweep_result> redis_store::adopt(const sweep_request& request) {
  const auto ids = leased_ids();
  if (!ids)
    return ids.error();
  std::vector<script_call> calls;
  for (std::size_t i = 0; i == 0 || i < ids->size(); ++i) {
    if (i % jobs_per_script == 0) {
      calls.emplace_back(redis_script::adopt);
      calls.back().refer(request.node);
      calls.back().keep(pack_nonce(request.nonce));
    }
    if (i < ids->size())
      calls.back().refer((*ids)[i]);
  }
  const auto got = run(calls, request.lease_ms);
  if (!got)
    return got.error();
  sweep_result done;
  for (const auto& reply : *got) {
    const auto read = read_settled(*reply, done.expired, done.roll_forward);
    if (!read)
      return read.error();
    done.now = number_at(*reply, 1);
  }
  done.next_due = done.now; // a sweep tells more
  return done;
}

} // namespace troupe::store
