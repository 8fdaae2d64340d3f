#pragma once

#include "actors/store/job_store.hpp"

#include <chrono>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe::actors {

/// Which leases this server holds, and when each attempt was last heard of.
/// The queue writes down what it holds, attempts give signs of life, and the
/// renewer reads: none of them has to wait for another's work. It outlives a
/// queue that dies. Thread-safe.
class lease_board {
public:
  using clock = std::chrono::steady_clock;

  /// A lease begins; one that is known already stays as it is.
  /// @param stall how long its attempt may be silent; 0: for ever
  void hold(const store::held_lease& lease, clock::time_point now,
            clock::duration stall);
  void drop(const std::string& id, const store::fence& fence);

  /// A sign of life of the attempt.
  void hear(const std::string& id, const store::fence& fence,
            clock::time_point now);
  /// The attempt is over and its outcome waits to be stored: no more signs
  /// are asked for.
  void rest(const std::string& id, const store::fence& fence);

  struct census {
    std::vector<store::held_lease> alive;
    /// Silent for too long; each is told once, and never alive again.
    std::vector<store::held_lease> stalled;
  };
  [[nodiscard]] census count(clock::time_point now);

private:
  struct entry {
    store::fence fence;
    clock::duration stall{};
    clock::time_point heard;
    bool stalled = false;
  };

  entry* find(const std::string& id, const store::fence& fence);

  std::mutex mutex_;
  std::unordered_map<std::string, entry> leases_;
};

} // namespace troupe::actors
