#include "actors/store/redis_job.hpp"

#include "actors/store/packing.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace troupe::store {

namespace {

static_assert(std::endian::native == std::endian::little,
              "lua/job.lua packs numbers little-endian");

constexpr std::uint8_t layout = 1;

/// Texts that follow the numbers, in this order.
enum text : std::size_t {
  lane,
  node,
  result,
  manifest,
  progress,
  checkpoint,
  errors,
  unique_key,
  batch,
  draft, ///< four doubles of the backoff, then `pack_draft`
  text_count,
};

// Offsets of the numbers, as HEADER has them.
constexpr std::size_t at_state = 1;
constexpr std::size_t at_publishing = 2;
constexpr std::size_t at_priority = 3;
constexpr std::size_t at_attempt = 5;
constexpr std::size_t at_max_attempts = 9;
constexpr std::size_t at_losses = 13;
constexpr std::size_t at_revision = 17;
constexpr std::size_t at_fence = 25;
constexpr std::size_t at_created = 41;
constexpr std::size_t at_run_at = 49;
constexpr std::size_t at_started = 57;
constexpr std::size_t at_finished = 65;
constexpr std::size_t at_lease = 73;
constexpr std::size_t at_sequence = 89;
constexpr std::size_t at_sizes = 97;
constexpr std::size_t header_size = at_sizes + 4 * text_count;
constexpr std::size_t backoff_size = 4 * sizeof(double);

template <class T>
void put(std::string& bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

template <class T>
void append(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class T>
T number(std::string_view bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

using texts = std::array<std::string_view, text_count>;

/// False when the sizes do not add up to the whole.
bool cut(std::string_view bytes, texts& out) {
  auto rest = bytes.substr(header_size);
  for (std::size_t i = 0; i < text_count; ++i) {
    const auto size = number<std::uint32_t>(bytes, at_sizes + 4 * i);
    if (size > rest.size())
      return false;
    out[i] = rest.substr(0, size);
    rest.remove_prefix(size);
  }
  return rest.empty();
}

/// An entry: attempt, whether it may pass, code and message with their sizes.
/// `add_error` in lua/indexes.lua writes them.
bool unpack_errors(std::string_view rest, std::vector<job_error>& out) {
  auto take = [&rest](std::string& into) {
    if (rest.size() < 4)
      return false;
    const auto size = number<std::uint32_t>(rest, 0);
    rest.remove_prefix(4);
    into.assign(rest.substr(0, size));
    rest.remove_prefix(std::min<std::size_t>(size, rest.size()));
    return into.size() == size;
  };
  while (rest.size() >= 5) {
    auto& entry = out.emplace_back();
    entry.attempt = number<std::uint32_t>(rest, 0);
    entry.retryable = rest[4] != 0;
    rest.remove_prefix(5);
    if (!take(entry.code) || !take(entry.message))
      return false;
  }
  return rest.empty();
}

void unpack_numbers(std::string_view bytes, job& it) {
  it.state = number<job_state>(bytes, at_state);
  it.publishing = bytes[at_publishing] != 0;
  it.attempt = number<std::uint32_t>(bytes, at_attempt);
  it.losses = number<std::uint32_t>(bytes, at_losses);
  it.revision = number<std::uint64_t>(bytes, at_revision);
  it.fence.epoch = number<std::uint64_t>(bytes, at_fence);
  it.fence.nonce = number<std::uint64_t>(bytes, at_fence + 8);
  it.created_at = number<timestamp_ms>(bytes, at_created);
  it.run_at = number<timestamp_ms>(bytes, at_run_at);
  it.started_at = number<timestamp_ms>(bytes, at_started);
  it.finished_at = number<timestamp_ms>(bytes, at_finished);
  it.lease_until = number<timestamp_ms>(bytes, at_lease);
}

std::string pack_whole_draft(const job_draft& draft, durability reached) {
  job it;
  static_cast<job_draft&>(it) = draft;
  it.reached = reached;
  std::string bytes;
  append(bytes, draft.backoff.initial_s);
  append(bytes, draft.backoff.factor);
  append(bytes, draft.backoff.max_s);
  append(bytes, draft.backoff.jitter);
  return bytes + pack_draft(it);
}

std::string sized(std::string_view text) {
  std::string bytes;
  append(bytes, static_cast<std::uint32_t>(text.size()));
  return bytes.append(text);
}

} // namespace

std::string pack_for_redis(const job_draft& draft, durability reached) {
  std::array<std::string, text_count> parts;
  parts[text::lane] = lane_prefix(draft.queue) + sized(draft.concurrency_key)
                      + static_cast<char>(draft.priority);
  parts[text::unique_key] = draft.unique_key;
  parts[text::batch] = batch_prefix(draft.batch);
  parts[text::draft] = pack_whole_draft(draft, reached);
  std::string bytes(header_size, '\0');
  put(bytes, 0, layout);
  put(bytes, at_priority, static_cast<std::uint8_t>(draft.priority));
  put(bytes, at_max_attempts, draft.max_attempts);
  put(bytes, at_run_at, draft.run_at);
  for (std::size_t i = 0; i < text_count; ++i) {
    put(bytes, at_sizes + 4 * i, static_cast<std::uint32_t>(parts[i].size()));
    bytes += parts[i];
  }
  return bytes;
}

bool unpack_from_redis(std::string_view bytes, job& it) {
  texts parts;
  if (bytes.size() < header_size || bytes[0] != layout || !cut(bytes, parts)
      || parts[text::draft].size() < backoff_size
      || !unpack_draft(parts[text::draft].substr(backoff_size), it)
      || !unpack_errors(parts[text::errors], it.errors))
    return false;
  unpack_numbers(bytes, it);
  it.node = parts[text::node];
  it.result = parts[text::result];
  it.checkpoint = parts[text::checkpoint];
  const auto now = parts[text::progress];
  const auto files = parts[text::manifest];
  return it.state <= job_state::cancelled
         && (now.empty() || unpack_progress(now, it.progress))
         && (files.empty() || unpack_manifest(files, it.manifest));
}

std::uint64_t sequence_in_redis(std::string_view bytes) {
  return number<std::uint64_t>(bytes, at_sequence);
}

std::string pack_nonce(std::uint64_t nonce) {
  std::string bytes;
  append(bytes, nonce);
  return bytes;
}

std::string pack_fence(const fence& proof) {
  return pack_nonce(proof.epoch) + pack_nonce(proof.nonce);
}

std::string lane_prefix(std::string_view queue) {
  std::string bytes(1, static_cast<char>(queue.size()));
  return bytes.append(queue);
}

std::string batch_prefix(std::string_view batch) {
  return batch.empty() ? std::string{} : sized(batch);
}

} // namespace troupe::store
