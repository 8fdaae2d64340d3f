#include "actors/store/put_off.hpp"
#include "actors/store/redis_group.hpp"
#include "actors/store/redis_reply.hpp"

#include <random>

/// A group as a transaction: records, links and the tallies of batches.
namespace troupe::store {

namespace {

/// Bytes before a record's own: others each time that it is written.
constexpr std::size_t token_size = 8;

std::string new_token() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return ordered(generator());
}

constexpr redis_key key_of(due_lane lane) {
  return lane == due_lane::follow ? redis_key::due : redis_key::calls_due;
}

} // namespace

std::string field_of(record_kind kind, std::string_view key) {
  return std::string(1, static_cast<char>(kind)).append(key);
}

std::string link_prefix(link_kind kind, std::string_view owner) {
  const auto size = static_cast<std::uint32_t>(owner.size());
  std::string bytes(1, static_cast<char>(kind));
  bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
  return bytes.append(owner);
}

// -- records ------------------------------------------------------------------

void redis_group::need_record(const std::string& field) {
  const auto [at, added] = records_.try_emplace(field);
  if (added)
    records_needed_.push_back(at->first);
}

void redis_group::take_records(const redisReply& reply) {
  for (std::size_t i = 0; i < records_needed_.size(); ++i) {
    auto& it = records_[std::string{records_needed_[i]}];
    const auto bytes = text_at(reply, i);
    it.is_read = true;
    it.token = bytes.substr(0, token_size);
    if (bytes.size() >= token_size)
      it.body = bytes.substr(token_size);
  }
  records_needed_.clear();
}

void redis_group::prefetch(std::span<const record_name> names) {
  for (const auto& [kind, key] : names)
    need_record(field_of(kind, key));
  read_now();
}

std::optional<std::string> redis_group::read(record_kind kind,
                                             const std::string& key) {
  const auto field = field_of(kind, key);
  need_record(field);
  if (!records_needed_.empty() && !read_now())
    return {};
  return records_.at(field).body;
}

void redis_group::write(record_kind kind, const std::string& key,
                        std::string body, timestamp_ms due) {
  auto& it = records_[field_of(kind, key)];
  it.dirty = true;
  it.body = std::move(body);
  it.due = due;
  if (due != 0 && due <= now_ && lane_of(kind) == due_lane::follow)
    follow = true;
}

void redis_group::remove(record_kind kind, const std::string& key) {
  auto& it = records_[field_of(kind, key)];
  it.dirty = true;
  it.body.reset();
  it.due = 0;
}

void redis_group::write_records() {
  for (const auto& [field, it] : records_) {
    if (!it.dirty)
      continue;
    const auto lane = key_of(lane_of(static_cast<record_kind>(field.front())));
    if (it.is_read)
      changes.expect(redis_key::records, field, it.token);
    if (it.body)
      changes.set(redis_key::records, field, new_token() + *it.body);
    else
      changes.remove(redis_key::records, field);
    if (it.due != 0)
      changes.add(lane, field, it.due);
    else if (may_be_due(static_cast<record_kind>(field.front())))
      changes.remove(lane, field);
  }
}

std::vector<record_name> redis_group::due(due_lane lane, std::size_t max) {
  const auto last = std::to_string(max);
  std::vector<record_name> names;
  const auto* reply =
    ask_now({"ZRANGE", name_of(key_of(lane)), "0", last, "WITHSCORES"});
  for (std::size_t i = 0; reply != nullptr && i + 1 < size_of(*reply); i += 2) {
    const auto at = number_at(*reply, i + 1);
    const auto field = text_at(*reply, i);
    if (at == 0 || at > now_ || names.size() == max || field.empty())
      break;
    names.push_back(
      {static_cast<record_kind>(field.front()), std::string{field.substr(1)}});
  }
  return names;
}

timestamp_ms redis_group::next_due(due_lane lane) {
  const auto* reply =
    ask_now({"ZRANGE", name_of(key_of(lane)), "0", "0", "WITHSCORES"});
  return reply == nullptr ? 0 : number_at(*reply, 1);
}

const redisReply* redis_group::ask_now(redis_args command) {
  need(std::move(command));
  return read_now() ? &extra(0) : nullptr;
}

// -- links --------------------------------------------------------------------

void redis_group::link(link_kind kind, const std::string& owner,
                       const std::string& member) {
  links_[link_prefix(kind, owner) + member] = true;
}

void redis_group::unlink(link_kind kind, const std::string& owner,
                         const std::string& member) {
  links_[link_prefix(kind, owner) + member] = false;
}

void redis_group::write_links() {
  for (const auto& [member, is_there] : links_)
    if (is_there)
      changes.add(redis_key::links, member);
    else
      changes.remove(redis_key::links, member);
}

std::vector<std::string> redis_group::links(link_kind kind,
                                            const std::string& owner,
                                            const std::string& after,
                                            std::size_t max) {
  const auto prefix = link_prefix(kind, owner);
  const auto from = (after.empty() ? "[" : "(") + prefix + after;
  const auto to = "(" + prefix + '\xff';
  const auto most = std::to_string(max);
  std::vector<std::string> members;
  const auto* reply = ask_now(
    {"ZRANGEBYLEX", name_of(redis_key::links), from, to, "LIMIT", "0", most});
  for (std::size_t i = 0; reply != nullptr && i < size_of(*reply); ++i)
    if (const auto member = text_at(*reply, i); member.size() > prefix.size())
      members.emplace_back(member.substr(prefix.size()));
  return members;
}

// -- batches ------------------------------------------------------------------

transaction::counters redis_group::tally(const std::string& batch) {
  std::vector<std::string> fields;
  for (std::size_t i = 0; i < job_state_count; ++i)
    fields.push_back(state_prefix(static_cast<job_state>(i)) + batch);
  redis_args command{"HMGET", name_of(redis_key::tallies)};
  command.insert(command.end(), fields.begin(), fields.end());
  counters jobs{};
  const auto* reply = ask_now(std::move(command));
  for (std::size_t i = 0; reply != nullptr && i < job_state_count; ++i)
    jobs[i] = number_at(*reply, i);
  return jobs;
}

void redis_group::drop_tally(const std::string& batch) {
  for (std::size_t i = 0; i < job_state_count; ++i)
    changes.remove(redis_key::tallies,
                   state_prefix(static_cast<job_state>(i)) + batch);
}

} // namespace troupe::store
