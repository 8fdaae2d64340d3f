#pragma once

#include "actors/store/job_store.hpp"
#include "actors/store/sqlite_flow.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace troupe::store {

/// Names one list of the ready order.
struct ready_list {
  std::string queue;
  std::string group;
  std::int64_t priority = 0;

  auto operator<=>(const ready_list&) const = default;
};

/// Place of a queued job in its list, and among all lists of its queue.
struct ready_place {
  std::int64_t score = 0;
  std::int64_t seq = 0;

  auto operator<=>(const ready_place&) const = default;
};

/// The ready order of all queues: which queued job is next. It reads queued
/// jobs from the index `job_ready`, which SQLite keeps, and keeps the first of
/// each list in `head`. A list of a group at its limit is *parked*: a claim
/// does not see it until `sqlite_flow` lets it go.
///
/// Invariant, after `flush`: `head` has a row for each list that is not empty,
/// that of its first job; it is parked only while its group has no room.
class sqlite_ready {
public:
  sqlite_ready(sqlite_db& db, sqlite_flow& flow) noexcept;

  /// A job of this list became queued; the row may be written before or after.
  void entered(const ready_list& list, ready_place place);
  /// A job of this list is no longer queued.
  void left(const ready_list& list, std::int64_t seq);
  /// Writes the heads that have changed. Last in a transaction that changed
  /// jobs; `forget` instead, if it failed.
  void flush();
  void forget() noexcept {
    touched_.clear();
  }

  /// The best jobs of a queue that the gate lets through, in order, by
  /// sequence; parks the lists that it passes over. Nothing is touched but by
  /// `flush` before.
  std::vector<std::int64_t> best(const claim_request& request,
                                 sqlite_gate& gate);

  /// When the job that has been ready for longest became so; 0 if none is.
  timestamp_ms oldest(const std::string& queue);

private:
  struct head {
    std::optional<ready_place> stored;
    std::optional<ready_place> now;
    bool lost = false; ///< `now` has left: to be looked up anew
  };
  class merge;

  head& touch(const ready_list& list);
  std::optional<ready_place> first_of(const ready_list& list);
  void write(const ready_list& list, const std::optional<ready_place>& place);
  void park(const ready_list& list, const sqlite_gate& gate);

  sqlite_flow& flow_;
  std::map<ready_list, head> touched_;
  statement read_head_;
  statement write_head_;
  statement drop_head_;
  statement first_;
  statement heads_;
  statement following_;
  statement oldest_;
};

} // namespace troupe::store
