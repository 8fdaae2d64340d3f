#pragma once

#include <chrono>
#include <cstddef>

namespace troupe::store {

/// Jobs that one group changes at most; its script then takes well under 5 ms
/// where the server has a core of its own.
inline constexpr std::size_t jobs_per_group = 128;

/// How many jobs the next group may change, by what the last ones took: on a
/// slow or busy machine fewer, since nobody else is served meanwhile.
///
/// Invariant: `fewest` ≤ `jobs()` ≤ `jobs_per_group`.
class redis_pace {
public:
  using span = std::chrono::nanoseconds;

  static constexpr std::size_t fewest = 32;

  [[nodiscard]] std::size_t jobs() const noexcept {
    return jobs_;
  }

  /// A group of so many jobs was read in one round trip and written in
  /// another: what the second took longer is the script's.
  void took(std::size_t jobs, span read, span write) noexcept;

private:
  std::size_t jobs_ = jobs_per_group;
};

} // namespace troupe::store
