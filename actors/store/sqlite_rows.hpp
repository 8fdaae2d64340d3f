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

/// A job with its row. `was` and `place` tell how it lies in the database.
struct stored_job {
  std::int64_t seq = 0;
  job_state was = job_state::queued;
  std::int64_t score = 0;
  struct job job;
};

/// Jobs as rows: reads and writes them, and with each change of state keeps
/// what hangs on it: the ready order and the counters. All is written by
/// `flush`, at the end of a transaction.
class sqlite_rows {
public:
  sqlite_rows(sqlite_db& db, std::int64_t ageing_ms) noexcept;

  /// None if there is no such job; a row that cannot be read is `corrupt`.
  result<stored_job> load(const std::string& id);
  result<stored_job> load(std::int64_t seq);
  /// The job, not terminal, that holds a unique key; 0 if none does.
  std::int64_t holder_of(const std::string& unique_key);

  /// Adds a job under the next sequence. False if its id is taken.
  bool insert(const job& added);
  /// Writes a job back after a transition.
  void save(stored_job& changed);
  /// Writes a job whose state, times and node are as they were.
  void save_live(const stored_job& changed);
  void save_lease(std::int64_t seq, timestamp_ms until);
  void erase(std::int64_t seq);
  /// Takes a row that cannot be read out of the way: failed, as it is.
  void bury(std::int64_t seq, timestamp_ms now);

  /// Jobs by state of each queue, this transaction's changes included.
  using counters = std::array<std::int64_t, job_state_count>;
  std::map<std::string, counters> depths();
  /// Jobs of all queues that `max_queued` bounds.
  std::int64_t waiting();

  sqlite_ready& ready() noexcept {
    return ready_;
  }

  /// Fills a job from a row of seq, state, score, run_at, lease_until,
  /// finished_at, node, live, body. False if it makes no sense.
  static bool read(cursor& row, stored_job& out);

  /// Starts or ends a transaction's work.
  void begin(bool writing);
  result<void> end();

private:
  /// What is known of a row without its blobs.
  struct located {
    struct job job; ///< queue, group and priority only
    job_state state = job_state::queued;
  };

  std::optional<located> locate(std::int64_t seq);
  void moved(const job& it, std::optional<job_state> from,
             std::optional<job_state> to);
  void write_counters();

  sqlite_db& db_;
  const std::int64_t ageing_ms_;
  sqlite_ready ready_;
  std::map<std::string, counters> moves_;
  std::optional<std::int64_t> waiting_;
  statement by_id_;
  statement by_seq_;
  statement holder_;
  statement insert_job_;
  statement insert_draft_;
  statement update_;
  statement update_live_;
  statement update_lease_;
  statement delete_job_;
  statement delete_draft_;
  statement locate_;
  statement bury_;
  statement read_depths_;
  statement add_depth_;
};

} // namespace troupe::store
