#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace troupe::media {

/// Who makes which of a row of pieces. A child goes on where it is cheapest:
/// with the next piece, and if that is taken, at the longest stretch that
/// nobody has: in its middle where another child is on its way to its begin.
/// Groups are rows of their own, one after the other.
class work_board {
public:
  /// @param groups of each piece: equal ones stand together
  explicit work_board(std::vector<std::uint32_t> groups);

  /// It is there already.
  void skip(std::size_t piece);
  /// Takes a piece. @param after the one that the taker has made last
  [[nodiscard]] std::optional<std::size_t>
  take(std::optional<std::size_t> after);

private:
  enum class state : std::uint8_t { free, taken, done };

  [[nodiscard]] bool is_free(std::size_t piece) const;

  std::vector<std::uint32_t> groups_;
  std::vector<state> states_;
};

} // namespace troupe::media
