#include "actors/store/redis_record.hpp"

#include "actors/store/packing.hpp"
#include "actors/store/transitions.hpp"

#include <bit>
#include <cstring>

namespace troupe::store {

namespace {

static_assert(std::endian::native == std::endian::little,
              "records hold numbers little-endian");

constexpr char record_layout = 2;
constexpr std::size_t at_sequence = 1;
constexpr std::size_t at_writes = 9;
constexpr std::size_t at_score = 17;
constexpr std::size_t header_size = 25;
static_assert(at_score == record_token_size);

/// Keeps scores positive, so that their bytes order like they do.
constexpr std::int64_t score_bias = std::int64_t{1} << 52;

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

} // namespace

std::string pack_record(const redis_record& it) {
  const auto body = pack_job(it.job);
  std::string bytes;
  bytes.reserve(header_size + body.size());
  bytes += record_layout;
  append(bytes, it.sequence);
  append(bytes, it.writes);
  append(bytes, it.score);
  return bytes += body;
}

bool unpack_record(std::string_view bytes, redis_record& it) {
  if (bytes.size() < header_size || bytes[0] != record_layout)
    return false;
  it.sequence = number<std::uint64_t>(bytes, at_sequence);
  it.writes = number<std::uint64_t>(bytes, at_writes);
  it.score = number<std::int64_t>(bytes, at_score);
  return unpack_job(bytes.substr(header_size), it.job);
}

std::string pack_answer(const redis_answer& it) {
  std::string bytes;
  append(bytes, it.expiry);
  append(bytes, static_cast<std::uint32_t>(it.body_hash.size()));
  return bytes.append(it.body_hash).append(it.packed);
}

bool unpack_answer(std::string_view bytes, redis_answer& it) {
  constexpr std::size_t at_hash = answer_token_size + 4;
  if (bytes.size() < at_hash)
    return false;
  it.expiry = number<timestamp_ms>(bytes, 0);
  const auto size = number<std::uint32_t>(bytes, answer_token_size);
  if (size > bytes.size() - at_hash)
    return false;
  it.body_hash = bytes.substr(at_hash, size);
  it.packed = bytes.substr(at_hash + size);
  return true;
}

std::string queue_prefix(std::string_view queue) {
  std::string bytes(1, static_cast<char>(queue.size()));
  return bytes.append(queue);
}

std::string lane_of(const job_draft& draft) {
  auto bytes = queue_prefix(draft.queue);
  append(bytes, static_cast<std::uint32_t>(draft.concurrency_key.size()));
  bytes += draft.concurrency_key;
  return bytes += static_cast<char>(lane_number(draft));
}

std::size_t lane_size(std::string_view member) {
  if (member.empty())
    return 0;
  const std::size_t at_group = 1 + static_cast<unsigned char>(member[0]);
  if (member.size() < at_group + 4)
    return 0;
  const auto size = at_group + 4 + number<std::uint32_t>(member, at_group) + 1;
  return size + rank_size <= member.size() ? size : 0;
}

std::string key_of_lane(std::string_view lane) {
  const std::size_t at = 1 + static_cast<unsigned char>(lane[0]) + 4;
  return std::string{lane.substr(at, lane.size() - at - 1)};
}

std::string rank_of(std::int64_t score, std::uint64_t sequence) {
  return ordered(static_cast<std::uint64_t>(score + score_bias))
         + ordered(sequence);
}

std::int64_t score_in(std::string_view rank) {
  return static_cast<std::int64_t>(ordered_in(rank)) - score_bias;
}

std::string state_prefix(job_state state) {
  return std::string(1, static_cast<char>('0' + static_cast<int>(state)));
}

std::string batch_prefix(std::string_view batch) {
  std::string bytes;
  append(bytes, static_cast<std::uint32_t>(batch.size()));
  return bytes.append(batch);
}

std::string finished_prefix(job_state state) {
  if (state == job_state::succeeded)
    return "0";
  return state == job_state::cancelled ? "1" : "2";
}

std::string ordered(std::uint64_t number) {
  std::string bytes(8, '\0');
  for (std::size_t i = 8; i-- > 0; number >>= 8)
    bytes[i] = static_cast<char>(number);
  return bytes;
}

std::uint64_t ordered_in(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes.substr(0, 8))
    number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

} // namespace troupe::store
