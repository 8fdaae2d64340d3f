#pragma once

#include "media/job_cost.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace troupe::actors {

/// What jobs may take of this machine, and what the pools have given out of it.
/// Thread-safe; the managers of one node share it.
/// Invariant: what is given out fits the budget, except that one job alone may
/// have more than there is, as it would never run otherwise, and that what
/// somebody waits for is not held up by it.
class node_budget {
public:
  /// @param limits 0: no limit
  explicit node_budget(media::job_cost limits) : limits_(limits) {}

  /// Gives out what a job needs, if that is free.
  [[nodiscard]] bool take(const std::string& pool, const media::job_cost& cost);
  /// The same, whether or not it is free.
  void take_anyway(const std::string& pool, const media::job_cost& cost);
  /// Keeps that much for a pool, which takes it as soon as it is free: others
  /// get what is left beside it. False while another pool has so much kept.
  [[nodiscard]] bool reserve(const std::string& pool,
                             const media::job_cost& cost);
  /// Ends it without having taken anything.
  void forgo(const std::string& pool);
  /// @pre it was taken by that pool
  void give_back(const std::string& pool, const media::job_cost& cost);
  /// A pool starts anew: it has nothing.
  void reset(const std::string& pool);

  /// How many more jobs of that cost fit for a pool.
  [[nodiscard]] std::uint32_t fitting(const std::string& pool,
                                      const media::job_cost& cost) const;

  /// What is left of the disks, beside what is taken.
  void set_disk(std::uint64_t bytes);

  [[nodiscard]] media::job_cost limits() const;
  [[nodiscard]] media::job_cost in_use() const;

private:
  struct share {
    std::uint64_t jobs = 0;
    media::job_cost cost;
  };

  [[nodiscard]] share sum() const;
  [[nodiscard]] share wanted_beside(const std::string& pool) const;
  void add(const std::string& pool, const media::job_cost& cost);

  mutable std::mutex mutex_;
  media::job_cost limits_;
  std::map<std::string, share> pools_;
  std::string reserved_for_; ///< a pool; empty: nothing is kept
  media::job_cost reserved_;
};

} // namespace troupe::actors
