#pragma once

#include "actors/store/flow_operations.hpp"
#include "config/result.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

/// How much of a queue, or of the jobs that share a `concurrency_key`, may run
/// at once and be started in a second. Plain rules, without a database.
namespace troupe::store {

/// What limits a queue or a key; 0: no limit. Kept in a store by its name, in
/// `flow_name`'s words.
struct flow_limit {
  bool paused = false;           ///< queues only: nothing is claimed
  std::uint32_t concurrency = 0; ///< jobs that hold a lease at once
  double rate_per_s = 0;         ///< claims in a second, evenly spread
  /// Queues only: the concurrency of each key that has no limit of its own.
  std::uint32_t key_concurrency = 0;
  /// The token bucket as one number (as in the generic cell rate algorithm,
  /// ITU-T I.371): when it will be full again, in microseconds.
  std::int64_t full_at_us = 0;

  /// True for what limits nothing, and need not be kept.
  [[nodiscard]] bool is_idle() const noexcept {
    return !paused && concurrency == 0 && rate_per_s <= 0
           && key_concurrency == 0;
  }
  bool operator==(const flow_limit&) const = default;
};

inline constexpr std::uint32_t no_limit = UINT32_MAX;

/// Names in stores: a queue, and a key over all queues.
[[nodiscard]] std::string flow_name_of_queue(std::string_view queue);
[[nodiscard]] std::string flow_name_of_key(std::string_view key);

/// Claims that the bucket allows now. It holds what comes in a tenth of a
/// second, one at least, so that the rate holds from the first second on.
[[nodiscard]] std::uint32_t tokens_of(const flow_limit& it,
                                      timestamp_ms now) noexcept;
void take_tokens(flow_limit& it, std::uint32_t count,
                 timestamp_ms now) noexcept;
/// When the bucket holds a token; `now` or earlier if it does.
[[nodiscard]] timestamp_ms next_token(const flow_limit& it) noexcept;
/// After its rate was changed: owes no more than a full bucket.
void settle_bucket(flow_limit& it, timestamp_ms now) noexcept;

/// What an operation makes of a limit. @return false if it is as before
bool change_limit(flow_limit& it, const put_queue_op& op, timestamp_ms now);
bool change_limit(flow_limit& it, const put_limit_op& op, timestamp_ms now);

/// 29 bytes, the first one a version.
[[nodiscard]] std::string pack_limit(const flow_limit& it);
/// @return false for none of ours; `it` is then unspecified.
[[nodiscard]] bool unpack_limit(std::string_view bytes, flow_limit& it);

/// A limit and what counts against it.
struct flow_state {
  flow_limit limit;
  std::int64_t running = 0; ///< jobs that hold a lease

  /// Jobs that may be claimed now.
  [[nodiscard]] std::uint32_t room(timestamp_ms now) const noexcept;
};

/// What one claim may take: the caller tells what it knows of the queue and of
/// each group that it comes upon, and asks before each job.
///
/// Invariant: `taken` of all groups sums up to no more than the queue's room,
/// each to no more than its group's.
class flow_gate {
public:
  struct group {
    flow_state state;
    std::uint32_t room = no_limit;
    std::uint32_t taken = 0;
  };

  flow_gate(flow_state queue, timestamp_ms now);

  /// Jobs that the queue still has room for.
  [[nodiscard]] std::uint32_t room() const noexcept {
    return queue_.room - queue_.taken;
  }
  /// Null: `learn` first. The group "" has no limit, and is always known.
  [[nodiscard]] const group* find(const std::string& key) const;
  /// @param explicit_limit what is kept for the key; null: nothing
  const group& learn(const std::string& key, const flow_limit* explicit_limit,
                     std::int64_t running);
  /// @pre the group is known
  [[nodiscard]] bool has_room(const std::string& key) const;
  /// Counts a job of the group. @pre has_room(key)
  void take(const std::string& key);
  /// Takes back what was counted, to choose anew.
  void reset();

  [[nodiscard]] const group& queue() const noexcept {
    return queue_;
  }
  [[nodiscard]] const std::map<std::string, group>& groups() const noexcept {
    return groups_;
  }
  /// The queue's or a group's limit after the claim, tokens taken.
  [[nodiscard]] flow_limit after(const group& it) const;
  /// When the queue or a group gets a token, if it is that which it lacks
  /// after the claim; else 0.
  [[nodiscard]] timestamp_ms returns_at(const group& it) const;

private:
  timestamp_ms now_;
  group queue_;
  std::map<std::string, group> groups_;
};

} // namespace troupe::store
