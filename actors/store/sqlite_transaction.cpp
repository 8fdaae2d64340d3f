#include "actors/store/sqlite_transaction.hpp"

#include "actors/store/dependants.hpp"

#include <chrono>

namespace troupe::store {

namespace {

errc errc_of(const failure& why) {
  return static_cast<errc>(why.code.value());
}

} // namespace

sqlite_transaction::sqlite_transaction(sqlite_db& db,
                                       const store_options& options,
                                       durability reached)
  : db_{db}, options_{options}, reached_{reached}, rows_{db, options.ageing_ms},
    records_{db}, answer_{db, "SELECT body_hash, job FROM answer"
                              " WHERE scope = ?1 AND created_at > ?2"},
    keep_answer_{db, "INSERT OR REPLACE INTO answer VALUES(?1, ?2, ?3, ?4)"} {}

void sqlite_transaction::begin(bool writing, syncing how) {
  held_.clear();
  follow = false;
  rows_.begin(writing, how);
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  now_ = std::chrono::duration_cast<std::chrono::milliseconds>(since).count()
         + (options_.clock_offset_ms ? options_.clock_offset_ms() : 0);
}

result<void> sqlite_transaction::end() {
  return rows_.end();
}

// -- jobs ---------------------------------------------------------------------

found_job sqlite_transaction::find(const std::string& id) {
  if (const auto known = held_.find(id); known != held_.end())
    return {&known->second.job, errc::none};
  auto found = rows_.load(id);
  if (!found)
    return {nullptr, errc_of(found.error())};
  auto& held = held_[id] = std::move(*found);
  return {&held.job, errc::none};
}

void sqlite_transaction::save_row(stored_job& changed) {
  const bool ended =
    is_terminal(changed.job.state) && !is_terminal(changed.was);
  rows_.save(changed);
  if (ended)
    job_ended(changed.job, *this);
}

void sqlite_transaction::bury(std::int64_t seq) {
  if (const auto dead = rows_.bury(seq, now_))
    job_ended(*dead, *this);
}

stored_job* sqlite_transaction::held(const std::string& id) {
  const auto at = held_.find(id);
  if (at == held_.end()) {
    db_.note(fail(errc::corrupt, "job " + id + " is not what was read"));
    return nullptr;
  }
  return &at->second;
}

void sqlite_transaction::save(job& changed, job_state) {
  if (auto* it = held(changed.id))
    save_row(*it);
}

void sqlite_transaction::save_draft(job& changed, job_state before) {
  if (const auto* it = held(changed.id))
    rows_.save_draft(*it);
  save(changed, before);
}

job* sqlite_transaction::insert(job added, bool promised) {
  if (!has_room_for(1, promised))
    return nullptr;
  auto& held = held_[added.id];
  held = rows_.insert(std::move(added));
  return &held.job;
}

void sqlite_transaction::erase(const job& it) {
  const auto* gone = held(it.id);
  if (gone == nullptr)
    return;
  rows_.erase(gone->seq);
  held_.erase(std::string{gone->job.id});
}

job sqlite_transaction::answer_of(job& it) {
  auto* known = held(it.id);
  if (known == nullptr)
    return {};
  auto answer = std::move(known->job);
  held_.erase(answer.id);
  return answer;
}

bool sqlite_transaction::has_room_for(std::size_t jobs, bool promised) {
  return promised
         || std::uint64_t(rows_.waiting()) + jobs <= options_.max_queued;
}

std::string sqlite_transaction::holder_of(const std::string& unique_key) {
  return rows_.holder_of(unique_key);
}

// -- answers ------------------------------------------------------------------

std::optional<kept_answer> sqlite_transaction::kept(const std::string& scope) {
  auto row = answer_.start(scope, now_ - idempotency_ms);
  if (!row.next())
    return {};
  return kept_answer{std::string{row.text(0)}, std::string{row.blob(1)}};
}

void sqlite_transaction::keep(const std::string& scope, kept_answer answer) {
  keep_answer_.run(scope, answer.body_hash, now_, blob_view{answer.bytes});
}

// -- records and links --------------------------------------------------------

std::optional<std::string> sqlite_transaction::read(record_kind kind,
                                                    const std::string& key) {
  return records_.read(kind, key);
}

void sqlite_transaction::write(record_kind kind, const std::string& key,
                               std::string body, timestamp_ms due) {
  records_.write(kind, key, body, due);
  if (due != 0 && due <= now_ && lane_of(kind) == due_lane::follow)
    follow = true;
}

void sqlite_transaction::remove(record_kind kind, const std::string& key) {
  records_.remove(kind, key);
}

std::vector<record_name> sqlite_transaction::due(due_lane lane,
                                                 std::size_t max) {
  return records_.due(lane, now_, max);
}

timestamp_ms sqlite_transaction::next_due(due_lane lane) {
  return records_.next_due(lane);
}

void sqlite_transaction::link(link_kind kind, const std::string& owner,
                              const std::string& member) {
  records_.link(kind, owner, member);
}

void sqlite_transaction::unlink(link_kind kind, const std::string& owner,
                                const std::string& member) {
  records_.unlink(kind, owner, member);
}

std::vector<std::string> sqlite_transaction::links(link_kind kind,
                                                   const std::string& owner,
                                                   const std::string& after,
                                                   std::size_t max) {
  return records_.links(kind, owner, after, max);
}

// -- batches ------------------------------------------------------------------

transaction::counters sqlite_transaction::tally(const std::string& batch) {
  return rows_.tally(batch);
}

void sqlite_transaction::drop_tally(const std::string& batch) {
  rows_.drop_tally(batch);
}

} // namespace troupe::store
