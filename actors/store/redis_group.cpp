#include "actors/store/redis_group.hpp"

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
  if (entries_.try_emplace(std::string{id}).second)
    jobs_.push_back(id);
}

void redis_group::need_holder(std::string_view unique_key) {
  if (holders_.try_emplace(std::string{unique_key}).second)
    holders_needed_.push_back(unique_key);
}

void redis_group::need_answer(std::string_view scope) {
  if (answers_.try_emplace(std::string{scope}).second)
    answers_needed_.push_back(scope);
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
    {{"HMGET", name_of(redis_key::meta), "version", "alive", "grace"},
     &redis_group::take_meta});
}

void redis_group::ask_for_room(std::string_view jobs) {
  if (new_jobs_ == 0)
    return;
  const auto states = name_of(redis_key::states);
  questions_.push_back({{"HINCRBY", name_of(redis_key::meta), "seq", jobs},
                        &redis_group::take_sequence});
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
}

/// A server without room for a number has none for a job.
void redis_group::take_sequence(const redisReply& reply) {
  has_room = has_room && reply.type == REDIS_REPLY_INTEGER;
  sequence_ = static_cast<std::uint64_t>(number_of(reply)) - new_jobs_;
  new_jobs_ = 0;
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
    if (!unpack_record(bytes, it.record))
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

// -- changing -----------------------------------------------------------------

redis_group::entry& redis_group::at(std::string_view id) {
  return entries_.at(std::string{id});
}

std::string_view redis_group::holder_of(const std::string& unique_key) {
  return holders_.at(unique_key).now;
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
  it.dirty = true;
  waiting_ += int(is_waiting(it.record.job.state)) - int(is_waiting(before));
  hold(it, before);
}

bool redis_group::insert(entry& it, job added) {
  const bool full = waiting_ >= static_cast<std::int64_t>(options_.max_queued);
  if (full || !has_room)
    return false;
  it.record = {std::move(added), ++sequence_, 0, 0};
  it.error = errc::none;
  adds_ = true;
  // As if it had been terminal: it takes its key and waits.
  changed(it, job_state::cancelled);
  return true;
}

void redis_group::erase(entry& it) {
  if (it.was.present)
    leave(it, lane_of(it.record.job));
  if (it.was.present && !it.record.job.batch.empty())
    changes.remove(redis_key::batches, batch_prefix(it.record.job.batch)
                                         + ordered(it.was.sequence)
                                         + it.record.job.id);
  if (it.was.lease_until != 0)
    changes.remove(redis_key::leases, it.record.job.id);
  it.was = {};
  it.error = errc::not_found;
  it.dirty = true;
}

void redis_group::renew_clock() {
  alive_.renewed(now_, options_.lease_ms);
  changes.set(redis_key::meta, "alive", std::to_string(alive_.alive));
  changes.set(redis_key::meta, "grace", std::to_string(alive_.grace_until));
}

const redis_answer* redis_group::answer_of(const std::string& scope) {
  const auto& known = answers_.at(scope).known;
  return known.expiry > now_ ? &known : nullptr;
}

void redis_group::remember(const std::string& scope, redis_answer answer) {
  auto& it = answers_.at(scope);
  it.known = std::move(answer);
  it.dirty = true;
}

} // namespace troupe::store
