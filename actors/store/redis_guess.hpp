#pragma once

#include "actors/store/operations.hpp"

#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::store {

/// What the next claim of a queue is likely to find: the lanes of the last
/// one, and what was submitted since. It is read beside the heads, which tell
/// what is there; what was not guessed costs the claim another round trip.
class claim_guess {
public:
  /// A job of this queue has become ready.
  void add(std::string_view id);
  /// What a claim found: the lanes that had jobs, and the jobs it took.
  void learn(std::vector<std::string> lanes, std::span<const job> taken);

  [[nodiscard]] std::span<const std::string> lanes() const noexcept {
    return lanes_;
  }
  /// Jobs, the oldest first.
  [[nodiscard]] const std::deque<std::string>& ids() const noexcept {
    return ids_;
  }

private:
  std::vector<std::string> lanes_;
  std::deque<std::string> ids_;
};

} // namespace troupe::store
