#include "actors/store/sqlite_flow.hpp"

namespace troupe::store {

namespace {

flow_state state_of_queue(sqlite_flow& flow, const std::string& queue) {
  if (!flow.in_use())
    return {};
  flow_state it;
  if (auto limit = flow.find(flow_name_of_queue(queue)))
    it = {*limit, flow.running_of_queue(queue)};
  return it;
}

} // namespace

sqlite_flow::sqlite_flow(sqlite_db& db) noexcept
  : any_{db, "SELECT EXISTS(SELECT 1 FROM flow)"},
    read_{db, "SELECT body FROM flow WHERE name = ?1"},
    show_{db, "INSERT OR IGNORE INTO depth VALUES(?1, 2, 0)"},
    write_{db, "INSERT INTO flow VALUES(?1, ?2, 0)"
               " ON CONFLICT DO UPDATE SET body = ?2"},
    drop_{db, "DELETE FROM flow WHERE name = ?1"},
    queue_running_{db, "SELECT total(jobs) FROM depth"
                       " WHERE queue = ?1 AND state IN (3, 5)"},
    key_running_{db, "SELECT jobs FROM held WHERE grp = ?1"},
    add_held_{db, "INSERT INTO held VALUES(?1, ?2)"
                  " ON CONFLICT DO UPDATE SET jobs = jobs + ?2"},
    drop_held_{db, "DELETE FROM held WHERE grp = ?1 AND jobs <= 0"},
    count_all_{db, "INSERT INTO held SELECT grp, count(*) FROM job"
                   " INDEXED BY job_leased"
                   " WHERE lease_until > 0 AND grp <> '' GROUP BY grp"},
    count_none_{db, "DELETE FROM held"},
    park_{db, "UPDATE head SET parked = 1"
              " WHERE queue = ?1 AND grp = ?2 AND priority = ?3"},
    set_due_{db, "UPDATE flow SET due = ?2 WHERE name = ?1"},
    due_{db, "SELECT name FROM flow INDEXED BY flow_due"
             " WHERE due > 0 AND due <= ?1 ORDER BY due LIMIT 1"},
    next_due_{db, "SELECT due FROM flow INDEXED BY flow_due"
                  " WHERE due > 0 ORDER BY due LIMIT 1"},
    unpark_group_{db, "UPDATE head INDEXED BY head_parked SET parked = 0"
                      " WHERE parked = 1 AND grp = ?1"},
    unpark_queue_{db, "UPDATE head SET parked = 0"
                      " WHERE parked = 1 AND queue = ?1"},
    unpark_all_{db, "UPDATE head SET parked = 0 WHERE parked = 1"} {}

bool sqlite_flow::in_use() {
  if (!in_use_) {
    auto row = any_.start();
    in_use_ = row.next() && row.number(0) != 0;
  }
  return *in_use_;
}

std::optional<flow_limit> sqlite_flow::find(const std::string& name) {
  auto row = read_.start(name);
  flow_limit it;
  if (!row.next() || !unpack_limit(row.blob(0), it))
    return {};
  return it;
}

void sqlite_flow::put(const std::string& name, const flow_limit& limit) {
  const bool before = in_use();
  if (name.front() == 'q') // shown from now on, also without jobs
    show_.run(name.substr(1));
  if (limit.is_idle())
    drop_.run(name);
  else
    save(name, limit);
  in_use_.reset();
  if (before && !in_use())
    end_counting();
  else if (!before && in_use())
    begin_counting();
  let_go(name);
}

void sqlite_flow::save(const std::string& name, const flow_limit& limit) {
  const auto bytes = pack_limit(limit);
  write_.run(name, blob_view{bytes});
}

/// What is held back now is looked at anew by the next claim.
void sqlite_flow::let_go(const std::string& name) {
  const auto rest = name.substr(1);
  if (!in_use())
    unpark_all_.run();
  else if (name.front() == 'q')
    unpark_queue_.run(rest);
  else
    unpark_group_.run(rest);
}

void sqlite_flow::begin_counting() {
  moves_.clear();
  count_all_.run();
}

void sqlite_flow::end_counting() {
  moves_.clear();
  count_none_.run();
}

void sqlite_flow::leased(const job& it, int by) {
  if (!it.concurrency_key.empty() && in_use())
    moves_[it.concurrency_key] += by;
}

std::int64_t sqlite_flow::running_of_queue(const std::string& queue) {
  auto row = queue_running_.start(queue);
  return row.next() ? row.number(0) : 0;
}

std::int64_t sqlite_flow::running_of_key(const std::string& key) {
  auto row = key_running_.start(key);
  const auto stored = row.next() ? row.number(0) : 0;
  const auto moved = moves_.find(key);
  return stored + (moved == moves_.end() ? 0 : moved->second);
}

void sqlite_flow::wake(timestamp_ms now) {
  if (!in_use())
    return;
  for (;;) {
    std::string name;
    {
      auto row = due_.start(now);
      if (!row.next())
        return;
      name = row.text(0);
    }
    set_due_.run(name, 0);
    let_go(name);
  }
}

timestamp_ms sqlite_flow::next_due() {
  auto row = next_due_.start();
  return row.next() ? row.number(0) : 0;
}

void sqlite_flow::park(const std::string& queue, const std::string& group,
                       std::int64_t priority, timestamp_ms until) {
  park_.run(queue, group, priority);
  if (until != 0)
    set_due_.run(flow_name_of_key(group), until);
}

void sqlite_flow::flush() {
  for (const auto& [key, by] : moves_) {
    if (by != 0)
      add_held_.run(key, by);
    if (by < 0) {
      drop_held_.run(key);
      unpark_group_.run(key);
    }
  }
  moves_.clear();
}

void sqlite_flow::forget() noexcept {
  moves_.clear();
  in_use_.reset();
}

// -- sqlite_gate --------------------------------------------------------------

sqlite_gate::sqlite_gate(sqlite_flow& flow, const std::string& queue,
                         timestamp_ms now)
  : flow_{flow}, queue_{queue}, limits_{flow.in_use()}, gate_{state_of_queue(
                                                                flow, queue),
                                                              now} {}

bool sqlite_gate::has_room(const std::string& group) {
  if (limits_ && gate_.find(group) == nullptr) {
    const auto limit = flow_.find(flow_name_of_key(group));
    gate_.learn(group, limit ? &*limit : nullptr, flow_.running_of_key(group));
  }
  return gate_.has_room(group);
}

timestamp_ms sqlite_gate::parked_until(const std::string& group) const {
  const auto* it = gate_.find(group);
  return it == nullptr ? 0 : gate_.returns_at(*it);
}

void sqlite_gate::save() {
  const auto& queue = gate_.queue();
  if (queue.taken > 0 && queue.state.limit.rate_per_s > 0)
    flow_.save(flow_name_of_queue(queue_), gate_.after(queue));
  for (const auto& [key, it] : gate_.groups())
    if (it.taken > 0 && it.state.limit.rate_per_s > 0)
      flow_.save(flow_name_of_key(key), gate_.after(it));
}

timestamp_ms sqlite_gate::next_at() {
  if (!limits_)
    return 0;
  const auto queue = gate_.returns_at(gate_.queue());
  const auto group = flow_.next_due();
  return queue == 0 || (group != 0 && group < queue) ? group : queue;
}

} // namespace troupe::store
