#include "actors/store/redis_calls.hpp"

#include "actors/store/packing.hpp"
#include "actors/store/redis_job.hpp"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <charconv>
#include <random>

namespace troupe::store {

namespace {

/// Large jobs make short runs.
constexpr std::size_t bytes_per_script = 512 * 1024;

constexpr std::int64_t changed_flag = 256;
constexpr std::int64_t replayed_flag = 512;

/// Arguments of an operation, in the order of `operation`; the scripts' own.
constexpr std::array<std::size_t, std::variant_size_v<operation>> widths{
  5, 4, 4, 3, 8, 3, 1, 1, 1};

double random_share() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::generate_canonical<double, 32>(generator);
}

std::string text_of(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value);
  return {text, end.ptr};
}

class writer {
public:
  writer(script_call& call, durability reached)
    : call_{call}, reached_{reached} {
    // nop
  }

  void operator()(const submit_op& op) const {
    call_.refer(op.draft.id);
    call_.keep(pack_for_redis(op.draft, reached_));
    call_.keep(std::to_string(op.draft.delay_ms));
    call_.refer(op.idempotency.scope);
    call_.refer(op.idempotency.body_hash);
  }

  void operator()(const checkpoint_op& op) const {
    refer_held(op);
    call_.keep(pack_progress(op.progress));
    call_.refer(op.checkpoint);
  }

  void operator()(const commit_op& op) const {
    refer_held(op);
    call_.refer(op.result);
    call_.keep(op.manifest.empty() ? std::string{}
                                   : pack_manifest(op.manifest));
  }

  void operator()(const succeed_op& op) const {
    refer_held(op);
    call_.refer(op.result);
  }

  void operator()(const fail_op& op) const {
    refer_held(op);
    call_.refer(op.code);
    call_.refer(op.message);
    call_.refer(op.retryable ? "1" : "0");
    call_.keep(std::to_string(op.retry_after_ms));
    call_.keep(text_of(random_share()));
    call_.refer(op.checkpoint);
  }

  void operator()(const release_op& op) const {
    refer_held(op);
    call_.refer(op.reason == release_reason::node_lost ? "1" : "0");
  }

  /// cancel, retry, purge
  template <class Op>
  void operator()(const Op& op) const {
    call_.refer(op.id);
  }

private:
  template <class Op>
  void refer_held(const Op& op) const {
    call_.refer(op.id);
    call_.keep(pack_fence(op.fence));
  }

  script_call& call_;
  durability reached_;
};

bool takes_more(const script_call& call, std::size_t kind) {
  return static_cast<std::size_t>(call.which()) == kind
         && operations_in(call) < jobs_per_script
         && call.bytes() < bytes_per_script;
}

failure unexpected(std::string what) {
  return fail(errc::corrupt, "redis: " + std::move(what));
}

result<void> read_job(const redisReply& reply, job& out) {
  const auto bytes = read_text(reply);
  if (!bytes)
    return bytes.error();
  if (!unpack_from_redis(*bytes, out))
    return unexpected("a job that is not packed as ours are");
  return {};
}

} // namespace

std::vector<script_call> calls_for(std::span<const operation> ops,
                                   durability reached) {
  std::vector<script_call> calls;
  for (const auto& op : ops) {
    if (calls.empty() || !takes_more(calls.back(), op.index()))
      calls.emplace_back(static_cast<redis_script>(op.index()));
    std::visit(writer{calls.back(), reached}, op);
  }
  return calls;
}

std::size_t operations_in(const script_call& call) {
  return call.args().size() / widths[static_cast<std::size_t>(call.which())];
}

result<void> read_applied(const redisReply& reply, std::size_t operations,
                          std::vector<applied>& out) {
  if (reply.type == REDIS_REPLY_ERROR) {
    applied refused;
    refused.error = errc::queue_full;
    out.insert(out.end(), operations, refused);
    return {};
  }
  if (size_of(reply) != 2 * operations)
    return unexpected("not one answer per operation");
  for (std::size_t i = 0; i < reply.elements; i += 2) {
    const auto code = number_at(reply, i);
    auto& answer = out.emplace_back();
    answer.error = static_cast<errc>(code & 0xff);
    answer.changed = (code & changed_flag) != 0;
    answer.replayed = (code & replayed_flag) != 0;
    const auto& packed = *reply.element[i + 1];
    if (packed.len == 0 || answer.error == errc::corrupt)
      continue;
    if (auto read = read_job(packed, answer.job); !read)
      return read;
  }
  return {};
}

result<void> read_jobs(const redisReply& reply, std::size_t first,
                       std::vector<job>& out) {
  for (std::size_t i = first; i < size_of(reply); ++i)
    if (auto read = read_job(*reply.element[i], out.emplace_back()); !read)
      return read;
  return {};
}

result<std::string_view> read_text(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_STRING)
    return unexpected("not a text");
  return std::string_view{reply.str, reply.len};
}

std::int64_t number_at(const redisReply& reply, std::size_t at) {
  return at < size_of(reply) ? reply.element[at]->integer : 0;
}

std::size_t size_of(const redisReply& reply) {
  return reply.type == REDIS_REPLY_ARRAY ? reply.elements : 0;
}

} // namespace troupe::store
