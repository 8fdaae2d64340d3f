#pragma once

#include "actors/store/job.hpp"
#include "actors/store/sqlite_ready.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe::store {

/// A job with its row. What begins with `was` tells how it is stored.
struct stored_job {
  std::int64_t seq = 0;
  job_state was = job_state::queued;
  timestamp_ms was_run_at = 0;
  timestamp_ms was_leased_until = 0;
  std::int64_t score = 0;
  struct job job;
};

/// Jobs as rows: reads and writes them, and with each change of state keeps
/// what hangs on it: the ready order and the counters. All is written by
/// `end`, at the end of a transaction.
class sqlite_rows {
public:
  sqlite_rows(sqlite_db& db, std::int64_t ageing_ms) noexcept;

  /// None if there is no such job; a row that cannot be read is `corrupt`.
  result<stored_job> load(const std::string& id);
  result<stored_job> load(std::int64_t seq);
  /// Id of the job, not terminal, that holds a unique key; empty: none.
  std::string holder_of(const std::string& unique_key);

  /// Adds a job under the next sequence. @pre its id is not taken
  stored_job insert(job added);
  /// Writes a job back after a transition; its node changes with its state
  /// only.
  void save(stored_job& changed);
  /// Writes what `save` leaves alone.
  void save_draft(const stored_job& changed);
  void save_lease(std::int64_t seq, timestamp_ms until);
  void erase(std::int64_t seq);
  /// A row that cannot be read becomes a failed job, with the error `corrupt`
  /// and what is known of it.
  /// @return that job; nothing if there is no such row
  std::optional<job> bury(std::int64_t seq, timestamp_ms now);

  /// Jobs by state of each queue, this transaction's changes included.
  using counters = std::array<std::int64_t, job_state_count>;
  std::map<std::string, counters> depths();
  /// A batch's jobs by state; those that are erased count as they ended.
  counters tally(const std::string& batch);
  void drop_tally(const std::string& batch);
  /// Jobs of all queues that `max_queued` bounds.
  std::int64_t waiting();

  sqlite_ready& ready() noexcept {
    return ready_;
  }
  sqlite_flow& flow() noexcept {
    return flow_;
  }

  /// Fills a job from a row of seq, state, score, run_at, lease_until,
  /// finished_at, node, live, body. False if it makes no sense.
  static bool read(cursor& row, stored_job& out);

  /// Starts or ends a transaction's work.
  void begin(bool writing, syncing how = syncing::now);
  result<void> end();

private:
  /// What is known of a row without its blobs.
  struct located {
    struct job job;                 ///< what is searched by only
    std::optional<job_state> state; ///< nothing: none of ours
  };

  std::optional<located> locate(std::int64_t seq);
  void read_legible(std::int64_t seq, job& known);
  void moved(const job& it, std::optional<job_state> from,
             std::optional<job_state> to);
  void settled(stored_job& saved);
  void write_counters();

  sqlite_db& db_;
  const std::int64_t ageing_ms_;
  sqlite_flow flow_;
  sqlite_ready ready_;
  std::map<std::string, counters> moves_;       ///< by queue
  std::map<std::string, counters> batch_moves_; ///< by batch
  std::optional<std::int64_t> waiting_;
  statement by_id_;
  statement by_seq_;
  statement holder_;
  statement insert_job_;
  statement insert_draft_;
  statement update_;
  statement update_live_;
  statement update_draft_;
  statement update_lease_;
  statement delete_job_;
  statement delete_draft_;
  statement locate_;
  statement bury_;
  statement read_draft_;
  statement replace_draft_;
  statement read_depths_;
  statement add_depth_;
  statement read_tally_;
  statement add_tally_;
  statement drop_tally_;
};

} // namespace troupe::store
