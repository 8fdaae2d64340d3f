#include "actors/store/redis_group.hpp"

#include "actors/store/dependants.hpp"
#include "actors/store/packing.hpp"
#include "actors/store/redis_reply.hpp"

#include <hiredis/hiredis.h>

namespace troupe::store {

namespace {

redis_args reading(redis_key key, const redis_args& fields) {
  redis_args command{"HMGET", name_of(key)};
  command.insert(command.end(), fields.begin(), fields.end());
  return command;
}

} // namespace

// -- reading ------------------------------------------------------------------

void redis_group::need_job(std::string_view id) {
  const auto [at, added] = entries_.try_emplace(std::string{id});
  if (added)
    jobs_.push_back(at->first);
}

void redis_group::need_holder(std::string_view unique_key) {
  const auto [at, added] = holders_.try_emplace(std::string{unique_key});
  if (added)
    holders_needed_.push_back(at->first);
}

void redis_group::need_answer(std::string_view scope) {
  const auto [at, added] = answers_.try_emplace(std::string{scope});
  if (added)
    answers_needed_.push_back(at->first);
}

void redis_group::need_limit(const std::string& name) {
  const auto [at, added] = limits_.try_emplace(name);
  if (added)
    limits_needed_.push_back(at->first);
}

void redis_group::need_room(std::size_t jobs) {
  new_jobs_ = jobs;
}

void redis_group::need(redis_args command) {
  extra_needed_.push_back(std::move(command));
}

void redis_group::ask_for_time() {
  if (has_begun_)
    return;
  has_begun_ = true;
  questions_.push_back({{"TIME"}, &redis_group::take_time});
  questions_.push_back(
    {{"HMGET", name_of(redis_key::meta), "version", "alive", "grace", "limits"},
     &redis_group::take_meta});
}

void redis_group::ask_for_room(std::string_view jobs) {
  if (new_jobs_ == 0)
    return;
  const auto states = name_of(redis_key::states);
  questions_.push_back({{"HINCRBY", name_of(redis_key::meta), "seq", jobs},
                        &redis_group::take_sequence});
  if (std::exchange(knows_waiting_, true))
    return;
  // scheduled, blocked and queued; paused
  questions_.push_back(
    {{"ZLEXCOUNT", states, "[0", "(3"}, &redis_group::take_waiting});
  questions_.push_back(
    {{"ZLEXCOUNT", states, "[4", "(5"}, &redis_group::take_waiting});
}

void redis_group::ask_for_fields() {
  if (!jobs_.empty())
    questions_.push_back(
      {reading(redis_key::jobs, jobs_), &redis_group::take_jobs});
  if (!holders_needed_.empty())
    questions_.push_back({reading(redis_key::unique, holders_needed_),
                          &redis_group::take_holders});
  if (!answers_needed_.empty())
    questions_.push_back({reading(redis_key::answers, answers_needed_),
                          &redis_group::take_answers});
  if (!records_needed_.empty())
    questions_.push_back({reading(redis_key::records, records_needed_),
                          &redis_group::take_records});
  if (!limits_needed_.empty())
    questions_.push_back(
      {reading(redis_key::limits, limits_needed_), &redis_group::take_limits});
}

result<void> redis_group::read() {
  const auto new_jobs = std::to_string(new_jobs_);
  ask_for_time();
  ask_for_room(new_jobs);
  ask_for_fields();
  const auto own = questions_.size();
  std::vector<redis_args> commands;
  for (auto& [command, take] : questions_)
    commands.push_back(std::move(command));
  commands.insert(commands.end(), extra_needed_.begin(), extra_needed_.end());
  extra_needed_.clear();
  if (commands.empty())
    return {};
  auto got = client_.run(commands);
  if (!got)
    return got.error();
  for (std::size_t i = 0; i < own; ++i)
    (this->*questions_[i].take)(*(*got)[i]);
  questions_.clear();
  got->erase(got->begin(), got->begin() + static_cast<std::ptrdiff_t>(own));
  extra_ = std::move(*got);
  return {};
}

void redis_group::take_time(const redisReply& reply) {
  const auto offset = options_.clock_offset_ms ? options_.clock_offset_ms() : 0;
  now_ = number_at(reply, 0) * 1000 + number_at(reply, 1) / 1000 + offset;
}

void redis_group::take_meta(const redisReply& reply) {
  version_ = text_at(reply, 0);
  alive_ = {number_at(reply, 1), number_at(reply, 2)};
  limits_version_ = text_at(reply, 3);
}

/// A server without room for a number has none for a job.
void redis_group::take_sequence(const redisReply& reply) {
  const auto asked = std::exchange(new_jobs_, 0);
  const bool given = reply.type == REDIS_REPLY_INTEGER;
  has_room = has_room && given;
  sequences_left_ = given ? asked : 0;
  sequence_ = static_cast<std::uint64_t>(number_of(reply)) - asked;
}

void redis_group::take_waiting(const redisReply& reply) {
  waiting_ += number_of(reply);
}

void redis_group::take_jobs(const redisReply& reply) {
  for (std::size_t i = 0; i < jobs_.size() && i < size_of(reply); ++i) {
    if (!is_text(*reply.element[i]))
      continue;
    auto& it = at(jobs_[i]);
    const auto bytes = text_of(*reply.element[i]);
    it.token = bytes.substr(0, record_token_size);
    it.bytes = bytes.size();
    it.error = errc::corrupt;
    // One that lies where another belongs is neither.
    if (!unpack_record(bytes, it.record) || it.record.job.id != jobs_[i])
      continue;
    const auto& job = it.record.job;
    it.error = errc::none;
    it.was = {true,
              job.state,
              job.run_at,
              job.finished_at,
              job.lease_until,
              it.record.sequence,
              it.record.score};
  }
  jobs_.clear();
}

void redis_group::take_holders(const redisReply& reply) {
  for (std::size_t i = 0; i < holders_needed_.size(); ++i) {
    auto& it = holders_[std::string{holders_needed_[i]}];
    it.stored = it.now = text_at(reply, i);
  }
  holders_needed_.clear();
}

void redis_group::take_answers(const redisReply& reply) {
  for (std::size_t i = 0; i < answers_needed_.size(); ++i) {
    const auto bytes = text_at(reply, i);
    auto& it = answers_[std::string{answers_needed_[i]}];
    it.token = bytes.substr(0, answer_token_size);
    if (!unpack_answer(bytes, it.known))
      it.known = {};
  }
  answers_needed_.clear();
}

void redis_group::take_limits(const redisReply& reply) {
  for (std::size_t i = 0; i < limits_needed_.size(); ++i) {
    auto& it = limits_[std::string{limits_needed_[i]}];
    it.stored = text_at(reply, i);
    if (!unpack_limit(it.stored, it.now))
      it.now = {};
  }
  limits_needed_.clear();
}

// -- changing -----------------------------------------------------------------

redis_group::entry& redis_group::at(std::string_view id) {
  return entries_.at(std::string{id});
}

/// A key belongs to its job until that is terminal.
void redis_group::hold(const entry& it, job_state before) {
  const auto& job = it.record.job;
  if (job.unique_key.empty() || is_terminal(before) == is_terminal(job.state))
    return;
  // A key that was not read is its job's: nobody else could have taken it.
  auto& key = holders_.try_emplace(job.unique_key, holder_entry{job.id, job.id})
                .first->second;
  key.now = is_terminal(job.state) ? std::string{} : job.id;
}

void redis_group::changed(entry& it, job_state before) {
  const auto& job = it.record.job;
  it.dirty = true;
  waiting_ += int(is_waiting(job.state)) - int(is_waiting(before));
  hold(it, before);
  if (is_terminal(job.state) && !is_terminal(before))
    job_ended(job, *this);
}

void redis_group::expect_limits() {
  changes.expect(redis_key::meta, "limits", limits_version_);
}

flow_limit redis_group::limit(const std::string& name) {
  need_limit(name);
  if (!limits_needed_.empty() && !read_now())
    return {};
  return limits_.at(name).now;
}

void redis_group::put_limit(const std::string& name, const flow_limit& limit) {
  const auto before = limits_.at(name).now;
  save_limit(name, limit);
  expect_limits();
  const auto number = limits_version_.empty() ? 0 : ordered_in(limits_version_);
  changes.set(redis_key::meta, "limits", ordered(number + 1));
  if (name.front() == 'k') {
    changes.run(name, 0);
    changes.remove(redis_key::tokens, name); // by the rate of before
  } else { // shown from now on, also without jobs
    changes.count(redis_key::depth,
                  state_prefix(job_state::queued) + name.substr(1), 0);
  }
  if (name.front() == 'q' && before.key_concurrency != limit.key_concurrency)
    changes.add(redis_key::tokens, name, now_); // let go in steps
}

void redis_group::save_limit(const std::string& name, const flow_limit& limit) {
  auto& it = limits_.at(name);
  it.now = limit;
  it.dirty = true;
}

void redis_group::renew_clock() {
  alive_.renewed(now_, options_.lease_ms);
  changes.set(redis_key::meta, "alive", std::to_string(alive_.alive));
  changes.set(redis_key::meta, "grace", std::to_string(alive_.grace_until));
}

} // namespace troupe::store
