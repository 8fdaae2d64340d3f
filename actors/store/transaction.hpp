#pragma once

#include "actors/store/errc.hpp"
#include "actors/store/flow_limits.hpp"
#include "actors/store/job.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::store {

/// What lies in a store beside the jobs. Append only: values are stored.
enum class record_kind : std::uint8_t {
  release = 'r',  ///< by a parent's id: what depends on it is to be released
  unhold = 'u',   ///< by a child's id: it has ended, see `link_kind::holds`
  batch = 'b',    ///< by batch
  staged = 's',   ///< by batch and number: jobs that nobody sees yet
  progress = 'p', ///< by batch: jobs of it have ended
  schedule = 'c', ///< by name
  callback = 'w', ///< by event id
  log = 'l',      ///< by job
  stream = 'v',   ///< by stream
};

/// Who looks for what is due.
enum class due_lane : std::uint8_t { follow, callbacks };

[[nodiscard]] constexpr due_lane lane_of(record_kind kind) noexcept {
  return kind == record_kind::callback ? due_lane::callbacks : due_lane::follow;
}

/// Sets of names that belong to an owner. Append only: values are stored.
enum class link_kind : std::uint8_t {
  waits = 'w',     ///< of a parent: jobs that wait for its end
  holds = 'h',     ///< of a parent: released jobs that have not ended
  calls = 'c',     ///< of a job: event ids of its callbacks
  dead = 'd',      ///< of "": event ids of callbacks that were given up
  schedules = 's', ///< of "": names of all schedules
  streams = 'v',   ///< of "": ids of all streams
};

struct record_name {
  record_kind kind{};
  std::string key;
};

/// An answer kept for a POST that may be repeated.
struct kept_answer {
  std::string body_hash;
  std::string bytes;
};

/// A job as a transaction holds it, until its next call that names that job's
/// id or ends; or why there is none.
struct found_job {
  job* it = nullptr;
  errc error = errc::not_found; ///< `none` exactly when there is one

  explicit operator bool() const noexcept {
    return it != nullptr;
  }
};

/// What the rules of operations see of a store: all that is read and written
/// here becomes so at once or not at all.
///
/// Invariant: the first failure sticks: calls after it find nothing and change
/// nothing, and whoever began the transaction answers with it.
class transaction {
public:
  virtual ~transaction() = default;

  [[nodiscard]] virtual timestamp_ms now() const noexcept = 0;
  /// What a new job reaches.
  [[nodiscard]] virtual durability reached() const noexcept = 0;

  // -- jobs -------------------------------------------------------------------

  /// Reads these in one go, so that `find` has them at hand.
  virtual void prefetch(std::span<const std::string> ids) = 0;
  /// The same job for the same id, changed as it is by now.
  virtual found_job find(const std::string& id) = 0;
  /// Writes a job back after a transition. What hangs on its state is kept by
  /// the transaction.
  virtual void save(job& changed, job_state before) = 0;
  /// As `save`, for one whose `params` have changed too.
  virtual void save_draft(job& changed, job_state before) = 0;
  /// What is done rests on this job being as it was read.
  virtual void guard(const job& read) = 0;
  /// Adds a job. Null when `has_room_for` says no.
  /// @param promised it was given a place before: `max_queued` is no matter
  /// @pre its id is not stored
  virtual job* insert(job added, bool promised) = 0;
  virtual void erase(const job& it) = 0;
  /// What to answer of a job; last use of `it`.
  virtual job answer_of(job& it) = 0;
  /// Whether so many more jobs may be added.
  /// @param promised as for `insert`: only the server's memory matters
  virtual bool has_room_for(std::size_t jobs, bool promised) = 0;
  /// Id of the job, not terminal, that holds a unique key; empty: none.
  virtual std::string holder_of(const std::string& unique_key) = 0;

  // -- answers ----------------------------------------------------------------

  /// Nothing when none was kept within a day.
  virtual std::optional<kept_answer> kept(const std::string& scope) = 0;
  virtual void keep(const std::string& scope, kept_answer answer) = 0;

  // -- records: small blobs with a name and, some, a time when they are due ---

  /// Reads these in one go, so that `read` has them at hand.
  virtual void prefetch(std::span<const record_name> names) = 0;
  virtual std::optional<std::string> read(record_kind kind,
                                          const std::string& key) = 0;
  /// @param due 0: never
  virtual void write(record_kind kind, const std::string& key, std::string body,
                     timestamp_ms due = 0) = 0;
  virtual void remove(record_kind kind, const std::string& key) = 0;
  /// What is due by now, the longest first.
  virtual std::vector<record_name> due(due_lane lane, std::size_t max) = 0;
  /// When the first was due as the transaction began; 0: never.
  virtual timestamp_ms next_due(due_lane lane) = 0;

  // -- links: ordered by member ----------------------------------------------

  virtual void link(link_kind kind, const std::string& owner,
                    const std::string& member) = 0;
  virtual void unlink(link_kind kind, const std::string& owner,
                      const std::string& member) = 0;
  /// Up to `max` members after `after` (empty: from the first), as they were
  /// stored when the transaction began.
  virtual std::vector<std::string> links(link_kind kind,
                                         const std::string& owner,
                                         const std::string& after,
                                         std::size_t max) = 0;

  // -- batches ----------------------------------------------------------------

  using counters = std::array<std::int64_t, job_state_count>;
  /// A batch's jobs by state; one that has been purged counts as it ended.
  /// @pre the transaction has changed none of them
  virtual counters tally(const std::string& batch) = 0;
  virtual void drop_tally(const std::string& batch) = 0;

  // -- limits -----------------------------------------------------------------

  /// What is kept for this name (`flow_name_of_…`); idle if nothing is.
  virtual flow_limit limit(const std::string& name) = 0;
  /// Keeps or, if idle, forgets a limit, and lets go what it held back.
  virtual void put_limit(const std::string& name, const flow_limit& limit) = 0;

  /// Records were written that are due for `follow` now.
  bool follow = false;
};

} // namespace troupe::store
