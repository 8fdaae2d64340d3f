#pragma once

#include "actors/store/flow_limits.hpp"
#include "actors/store/job.hpp"
#include "actors/store/sqlite_db.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace troupe::store {

/// Limits of queues and keys, and what counts against them.
///
/// Invariants, after `flush`:
/// - `flow` has a row for each queue and key that is limited;
/// - while it has any, `held` has the number of leased jobs of each key that
///   has some; else it is empty, and nothing is counted;
/// - `due` of a key's row is when its parked lists come back for a token.
class sqlite_flow {
public:
  explicit sqlite_flow(sqlite_db& db) noexcept;

  /// True if there is any limit.
  bool in_use();
  /// What is kept; none if nothing is limited. `name` as `flow_name_of_…`.
  std::optional<flow_limit> find(const std::string& name);
  /// Keeps or, if idle, forgets a limit, and lets go what it held back.
  void put(const std::string& name, const flow_limit& limit);

  /// A job took or gave back a lease; its row has been written.
  void leased(const job& it, int by);
  /// Jobs that hold a lease.
  std::int64_t running_of_queue(const std::string& queue);
  std::int64_t running_of_key(const std::string& key);

  /// Lets go the lists that waited for a token until now.
  void wake(timestamp_ms now);
  /// When the next of them comes back; 0: none waits.
  timestamp_ms next_due();
  /// Takes a list (queue, group, priority) out of the order until a slot of
  /// its group returns, or, if `until` is not 0, a token.
  void park(const std::string& queue, const std::string& group,
            std::int64_t priority, timestamp_ms until);
  /// Writes a limit whose bucket has changed.
  void save(const std::string& name, const flow_limit& limit);

  void flush();
  void forget() noexcept;

private:
  void begin_counting();
  void end_counting();
  void let_go(const std::string& name);

  std::optional<bool> in_use_;
  std::map<std::string, std::int64_t> moves_;
  statement any_, read_, show_, write_, drop_;
  statement queue_running_, key_running_, add_held_, drop_held_;
  statement count_all_, count_none_;
  statement park_, set_due_, due_, next_due_;
  statement unpark_group_, unpark_queue_, unpark_all_;
};

/// What one claim in SQLite may take: asks for groups as it comes upon them.
class sqlite_gate {
public:
  sqlite_gate(sqlite_flow& flow, const std::string& queue, timestamp_ms now);

  /// Jobs that the queue has room for.
  [[nodiscard]] std::uint32_t room() const noexcept {
    return gate_.room();
  }
  bool has_room(const std::string& group);
  void take(const std::string& group) {
    gate_.take(group);
  }
  /// Until when a group without room is parked; 0: until a slot returns.
  timestamp_ms parked_until(const std::string& group) const;
  /// Writes the tokens taken.
  void save();
  /// When a claim of this queue may find more; 0: nobody knows.
  timestamp_ms next_at();
  [[nodiscard]] bool limits() const noexcept {
    return limits_;
  }

private:
  sqlite_flow& flow_;
  std::string queue_;
  bool limits_;
  flow_gate gate_;
};

} // namespace troupe::store
