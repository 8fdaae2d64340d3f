#include "actors/store/redis_store.hpp"

#include "actors/store/page_token.hpp"
#include "actors/store/redis_calls.hpp"
#include "actors/store/redis_job.hpp"
#include "actors/store/transitions.hpp"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <map>

namespace troupe::store {

namespace {

using clock = std::chrono::steady_clock;

/// Shares of maxmemory: where submits stop, where retention begins to forget.
constexpr double submit_share = 0.9;
constexpr double retention_share = 0.7;
constexpr auto memory_check_interval = std::chrono::seconds{1};

bool passes(const job& it, const list_query& query) {
  const auto fits = [](const std::string& wanted, const std::string& is) {
    return wanted.empty() || wanted == is;
  };
  return (!query.state || *query.state == it.state) && fits(query.type, it.type)
         && fits(query.queue, it.queue) && fits(query.owner, it.owner)
         && fits(query.batch, it.batch)
         && (query.tag.empty()
             || std::ranges::find(it.tags, query.tag) != it.tags.end());
}

/// Filters that no index answers.
bool scans(const list_query& query) {
  return !query.type.empty() || !query.queue.empty() || !query.tag.empty()
         || !query.owner.empty();
}

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

/// Invariant: no job is kept here; everything is asked of the server.
class redis_store final : public job_store {
public:
  redis_store(const store_options& options, redis_address address)
    : options_{options}, client_{std::move(address), options.timeout_ms} {
    // nop
  }

  result<void> open() {
    return client_.open();
  }

  result<std::vector<applied>> apply(std::span<const operation> ops) override;
  result<std::vector<job>> claim(const claim_request& request) override;
  result<std::vector<errc>> renew(std::span<const held_lease> leases,
                                  std::int64_t lease_ms) override;
  result<sweep_result> sweep(const sweep_request& request) override;
  result<sweep_result> adopt(const sweep_request& request) override;
  result<job> get(const std::string& id) override;
  result<job_page> list(const list_query& query) override;
  result<std::vector<queue_depth>> depths() override;

  [[nodiscard]] durability level() const noexcept override {
    return client_.level();
  }

private:
  using replies = std::vector<redis_reply_ptr>;

  script_settings settings(std::int64_t lease_ms) const;
  result<replies> run(std::span<const script_call> calls,
                      std::int64_t lease_ms);
  result<void> promote_due();
  result<bool> claim_once(const claim_request& request, bool promoted,
                          std::vector<job>& out);
  bool is_short_of_memory();
  result<std::vector<std::string>> leased_ids();
  result<replies> read_rows(const list_query& query, std::uint64_t below,
                            std::size_t count);

  store_options options_;
  redis_client client_;
  redis_memory memory_; ///< as of `memory_read_`
  clock::time_point memory_read_{};
};

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

result<redis_store::replies> redis_store::read_rows(const list_query& query,
                                                    std::uint64_t below,
                                                    std::size_t count) {
  script_call call{redis_script::list};
  // Sequences are numbers that Lua holds exactly.
  call.keep(std::to_string(std::min(below, std::uint64_t{1} << 53)));
  call.keep(std::to_string(std::min(count, jobs_per_script)));
  call.keep(batch_prefix(query.batch));
  call.keep(query.state ? std::to_string(static_cast<int>(*query.state))
                        : "012345678");
  return run({&call, 1}, options_.lease_ms);
}

result<job_page> redis_store::list(const list_query& query) {
  const auto from = read_page_token(query);
  if (!from)
    return from.error();
  const std::size_t size = std::clamp(query.page_size, 1u, 1000u);
  job_page page;
  auto below = *from;
  std::size_t looked_at = 0;
  const auto may_go_on = [&] {
    return page.jobs.size() < size && (!scans(query) || looked_at < max_scan);
  };
  while (may_go_on()) {
    const auto wanted =
      scans(query) ? max_scan - looked_at : size - page.jobs.size();
    const auto got = read_rows(query, below, wanted);
    if (!got)
      return got.error();
    const auto& rows = *got->front();
    if (size_of(rows) == 0)
      return page;
    for (std::size_t i = 0; i < size_of(rows) && may_go_on();
         ++i, ++looked_at) {
      const auto bytes = read_text(*rows.element[i]);
      job it;
      if (!bytes || !unpack_from_redis(*bytes, it))
        return fail(errc::corrupt, "redis: a job that cannot be read");
      below = sequence_in_redis(*bytes);
      if (passes(it, query))
        page.jobs.push_back(std::move(it));
    }
  }
  const auto more = read_rows(query, below, 1);
  if (!more)
    return more.error();
  if (size_of(*more->front()) > 0)
    page.next_page_token = make_page_token(query, below);
  return page;
}

result<std::vector<queue_depth>> redis_store::depths() {
  const script_call call{redis_script::depths};
  const auto got = run({&call, 1}, options_.lease_ms);
  if (!got)
    return got.error();
  const auto& reply = *got->front();
  std::map<std::string, queue_depth, std::less<>> queues;
  for (std::size_t i = 1; i + 2 < size_of(reply); i += 3) {
    const auto field = read_text(*reply.element[i]);
    if (!field || field->empty())
      return fail(errc::corrupt, "redis: a number of jobs without a queue");
    const auto state = static_cast<std::size_t>(field->front() - '0');
    const std::string queue{field->substr(1)};
    auto& depth = queues[queue];
    depth.queue = queue;
    depth.by_state[state % job_state_count] =
      static_cast<std::uint64_t>(number_at(reply, i + 1));
    if (number_at(reply, i + 2) != 0)
      depth.oldest_age_ms = std::max<std::int64_t>(
        0, number_at(reply, 0) - number_at(reply, i + 2));
  }
  std::vector<queue_depth> depths;
  for (auto& [name, depth] : queues)
    depths.push_back(std::move(depth));
  return depths;
}

} // namespace

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
