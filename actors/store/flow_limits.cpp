#include "actors/store/flow_limits.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace troupe::store {

namespace {

static_assert(std::endian::native == std::endian::little,
              "limits are packed little-endian");

constexpr char version = 1;
constexpr std::size_t packed_size = 1 + 4 + 8 + 4 + 8 + 4;
constexpr double burst_s = 0.1;

std::int64_t period_us(const flow_limit& it) noexcept {
  return std::max<std::int64_t>(1, std::llround(1e6 / it.rate_per_s));
}

std::int64_t burst_of(const flow_limit& it) noexcept {
  return std::max<std::int64_t>(1, std::llround(it.rate_per_s * burst_s));
}

template <class T>
void append_raw(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class T>
void take(std::string_view& bytes, T& value) {
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes.remove_prefix(sizeof value);
}

} // namespace

std::string flow_name_of_queue(std::string_view queue) {
  return std::string{"q"}.append(queue);
}

std::string flow_name_of_key(std::string_view key) {
  return std::string{"k"}.append(key);
}

std::uint32_t tokens_of(const flow_limit& it, timestamp_ms now) noexcept {
  if (it.rate_per_s <= 0)
    return no_limit;
  const auto owed = std::max<std::int64_t>(0, it.full_at_us - now * 1000);
  const auto period = period_us(it);
  const auto left = burst_of(it) * period - owed;
  return left <= 0 ? 0 : static_cast<std::uint32_t>(left / period);
}

void take_tokens(flow_limit& it, std::uint32_t count,
                 timestamp_ms now) noexcept {
  if (it.rate_per_s > 0)
    it.full_at_us = std::max(it.full_at_us, now * 1000) + count * period_us(it);
}

timestamp_ms next_token(const flow_limit& it) noexcept {
  if (it.rate_per_s <= 0)
    return 0;
  const auto at = it.full_at_us - (burst_of(it) - 1) * period_us(it);
  return (at + 999) / 1000;
}

void settle_bucket(flow_limit& it, timestamp_ms now) noexcept {
  if (it.rate_per_s <= 0)
    it.full_at_us = 0;
  else
    it.full_at_us =
      std::min(it.full_at_us, now * 1000 + burst_of(it) * period_us(it));
}

bool change_limit(flow_limit& it, const put_queue_op& op, timestamp_ms now) {
  const auto before = it;
  it.paused = op.paused.value_or(it.paused);
  it.concurrency = op.concurrency.value_or(it.concurrency);
  it.rate_per_s = op.rate_per_s.value_or(it.rate_per_s);
  it.key_concurrency = op.key_concurrency.value_or(it.key_concurrency);
  settle_bucket(it, now);
  return it != before;
}

bool change_limit(flow_limit& it, const put_limit_op& op, timestamp_ms now) {
  const auto before = it;
  it.concurrency = op.concurrency;
  it.rate_per_s = op.rate_per_s;
  settle_bucket(it, now);
  return it != before;
}

std::string pack_limit(const flow_limit& it) {
  std::string bytes(1, version);
  bytes.reserve(packed_size);
  append_raw(bytes, static_cast<std::uint32_t>(it.paused));
  append_raw(bytes, it.full_at_us);
  append_raw(bytes, it.concurrency);
  append_raw(bytes, it.rate_per_s);
  append_raw(bytes, it.key_concurrency);
  return bytes;
}

bool unpack_limit(std::string_view bytes, flow_limit& it) {
  if (bytes.size() != packed_size || bytes[0] != version)
    return false;
  bytes.remove_prefix(1);
  std::uint32_t paused = 0;
  take(bytes, paused);
  it.paused = paused != 0;
  take(bytes, it.full_at_us);
  take(bytes, it.concurrency);
  take(bytes, it.rate_per_s);
  take(bytes, it.key_concurrency);
  return true;
}

std::uint32_t flow_state::room(timestamp_ms now) const noexcept {
  if (limit.paused)
    return 0;
  auto left = tokens_of(limit, now);
  if (limit.concurrency != 0) {
    const auto free = std::int64_t{limit.concurrency} - running;
    left = std::min(left, free <= 0 ? 0 : static_cast<std::uint32_t>(free));
  }
  return left;
}

// -- flow_gate ----------------------------------------------------------------

flow_gate::flow_gate(flow_state queue, timestamp_ms now)
  : now_{now}, queue_{std::move(queue)} {
  queue_.room = queue_.state.room(now);
}

const flow_gate::group* flow_gate::find(const std::string& key) const {
  static const group unlimited;
  if (key.empty())
    return &unlimited;
  const auto at = groups_.find(key);
  return at == groups_.end() ? nullptr : &at->second;
}

const flow_gate::group& flow_gate::learn(const std::string& key,
                                         const flow_limit* explicit_limit,
                                         std::int64_t running) {
  auto& it = groups_[key];
  if (explicit_limit != nullptr)
    it.state.limit = *explicit_limit;
  else
    it.state.limit.concurrency = queue_.state.limit.key_concurrency;
  it.state.running = running;
  it.room = it.state.room(now_);
  return it;
}

bool flow_gate::has_room(const std::string& key) const {
  const auto* it = find(key);
  return it == nullptr || it->taken < it->room;
}

void flow_gate::take(const std::string& key) {
  ++queue_.taken;
  if (const auto at = groups_.find(key); at != groups_.end())
    ++at->second.taken;
}

void flow_gate::reset() {
  queue_.taken = 0;
  for (auto& [key, it] : groups_)
    it.taken = 0;
}

flow_limit flow_gate::after(const group& it) const {
  auto limit = it.state.limit;
  take_tokens(limit, it.taken, now_);
  return limit;
}

timestamp_ms flow_gate::returns_at(const group& it) const {
  const auto limit = after(it);
  const auto running = it.state.running + it.taken;
  const bool is_full = limit.concurrency != 0 && running >= limit.concurrency;
  const bool waits = !limit.paused && !is_full && tokens_of(limit, now_) == 0;
  return waits ? next_token(limit) : 0;
}

} // namespace troupe::store
