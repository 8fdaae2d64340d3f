#pragma once

#include "actors/store/job_store.hpp"
#include "actors/store/sqlite_records.hpp"
#include "actors/store/sqlite_rows.hpp"
#include "actors/store/transaction.hpp"

#include <string>
#include <unordered_map>

namespace troupe::store {

/// A transaction of the database. Between `begin` and `end`, changes are
/// written as they are made.
///
/// Invariant: `held_` has jobs as they are stored, but for those that rules
/// are changing right now.
class sqlite_transaction final : public transaction {
public:
  /// @param options outlives it
  sqlite_transaction(sqlite_db& db, const store_options& options,
                     durability reached);

  void begin(bool writing, syncing how = syncing::now);
  result<void> end();

  sqlite_rows& rows() noexcept {
    return rows_;
  }
  /// As `save`, for a job that was loaded by its row.
  void save_row(stored_job& changed);
  /// Ends a job that cannot be read as failed; see `sqlite_rows::bury`.
  void bury(std::int64_t seq);

  [[nodiscard]] timestamp_ms now() const noexcept override {
    return now_;
  }
  [[nodiscard]] durability reached() const noexcept override {
    return reached_;
  }
  void prefetch(std::span<const std::string>) override {
    // nop: rows are near
  }
  found_job find(const std::string& id) override;
  void save(job& changed, job_state before) override;
  void save_draft(job& changed, job_state before) override;
  void guard(const job&) override {
    // nop: nobody else writes meanwhile
  }
  job* insert(job added, bool promised) override;
  void erase(const job& it) override;
  job answer_of(job& it) override;
  bool has_room_for(std::size_t jobs, bool promised) override;
  std::string holder_of(const std::string& unique_key) override;
  std::optional<kept_answer> kept(const std::string& scope) override;
  void keep(const std::string& scope, kept_answer answer) override;
  void prefetch(std::span<const record_name>) override {
    // nop
  }
  std::optional<std::string> read(record_kind kind,
                                  const std::string& key) override;
  void write(record_kind kind, const std::string& key, std::string body,
             timestamp_ms due = 0) override;
  void remove(record_kind kind, const std::string& key) override;
  std::vector<record_name> due(due_lane lane, std::size_t max) override;
  timestamp_ms next_due(due_lane lane) override;
  void link(link_kind kind, const std::string& owner,
            const std::string& member) override;
  void unlink(link_kind kind, const std::string& owner,
              const std::string& member) override;
  std::vector<std::string> links(link_kind kind, const std::string& owner,
                                 const std::string& after,
                                 std::size_t max) override;
  counters tally(const std::string& batch) override;
  void drop_tally(const std::string& batch) override;
  flow_limit limit(const std::string& name) override {
    return rows_.flow().find(name).value_or(flow_limit{});
  }
  void put_limit(const std::string& name, const flow_limit& limit) override {
    rows_.flow().put(name, limit);
  }

private:
  /// What `find` or `insert` gave; null, and all fails, if it is another job
  /// by now.
  stored_job* held(const std::string& id);

  sqlite_db& db_;
  const store_options& options_;
  const durability reached_;
  timestamp_ms now_ = 0;
  sqlite_rows rows_;
  sqlite_records records_;
  std::unordered_map<std::string, stored_job> held_;
  statement answer_;
  statement keep_answer_;
};

} // namespace troupe::store
