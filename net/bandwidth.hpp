#pragma once

#include "net/token_bucket.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

namespace troupe::net {

/// Bytes a second; 0: no limit.
struct bandwidth_limits {
  double total = 0;
  double owner = 0;   ///< of each
  double session = 0; ///< of each

  [[nodiscard]] bool any() const noexcept {
    return total > 0 || owner > 0 || session > 0;
  }
};

/// Divides bandwidth among those who want to send: a tree of token buckets
/// (total, owners, sessions), each of which is a ceiling; below them owners,
/// and the sessions of one owner, are served by start-time fair queueing
/// (Goyal, Vin, Cheng 1996), so that what one does not use goes to the others
/// by their weights. No clock and no I/O: times are passed in, and never go
/// back.
///
/// A session's weight is its priority (0 counts half), an owner's that of its
/// highest session under way. Owners and sessions are known from `enter` until
/// a while after the last `leave`.
///
/// Invariants: a session is in its owner's `ready` or in `held_`, never in
/// both, exactly while a place of it waits; an owner is in `ready_` or `held_`
/// exactly while a session of it is ready; `idle_` has the sessions without
/// places, the longest so first.
class bandwidth {
public:
  using time = std::chrono::steady_clock::time_point;
  struct session_node;

  /// For one body that is being sent; stays where it is while it waits.
  struct place {
    session_node* of = nullptr;
    std::size_t wanted = 0; ///< 0: does not wait
  };

  struct granted {
    place* to = nullptr;
    std::size_t bytes = 0; ///< at most what was wanted
  };

  bandwidth(bandwidth_limits limits, time now);
  ~bandwidth();
  bandwidth(const bandwidth&) = delete;
  bandwidth& operator=(const bandwidth&) = delete;

  /// From now on.
  void limit(bandwidth_limits limits, time now);

  /// Owners and sessions are known by their names; those of several places of
  /// one session are served in the order in which they ask.
  [[nodiscard]] place enter(std::string_view owner, std::string_view name,
                            int priority, time now);
  /// Whether it waits or not.
  void leave(place& which, time now);

  /// @pre it does not wait yet
  void ask(place& which, std::size_t bytes);
  void withdraw(place& which);

  /// Who may send next, one at a time; nobody until `wake()`.
  [[nodiscard]] std::optional<granted> next(time now);
  /// When `next` has to be asked again, unless somebody asks before; far away
  /// if there is nothing to do.
  [[nodiscard]] time wake() const;

  [[nodiscard]] std::size_t owners() const noexcept {
    return owners_.size();
  }
  [[nodiscard]] std::size_t sessions() const noexcept {
    return sessions_;
  }
  [[nodiscard]] bool any_waits() const noexcept {
    return waiting_ > 0;
  }
  /// The most that is granted at once.
  [[nodiscard]] std::size_t piece() const noexcept {
    return piece_;
  }

private:
  struct owner_node;
  struct share;
  struct level;

  [[nodiscard]] token_bucket bucket(double rate, time now) const;
  void wait(session_node& which);
  void stop_waiting(session_node& which);
  void stand_back(owner_node& which);
  void hold(share& which, time until);
  void release(time now);
  void serve(session_node& which, std::size_t bytes);
  void forget(time now);

  bandwidth_limits limits_;
  std::size_t piece_ = 0;
  token_bucket total_;
  std::unique_ptr<level> ready_; ///< owners
  std::set<std::pair<time, share*>> held_;
  std::list<session_node*> idle_;
  std::unordered_map<std::string, std::unique_ptr<owner_node>> owners_;
  std::size_t sessions_ = 0;
  std::size_t waiting_ = 0;
  time blocked_until_ = time::max(); ///< by the total
};

} // namespace troupe::net
