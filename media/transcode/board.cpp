#include "media/transcode/board.hpp"

#include <utility>

namespace troupe::media {

work_board::work_board(std::vector<std::uint32_t> groups)
  : groups_(std::move(groups)), states_(groups_.size()) {}

void work_board::skip(std::size_t piece) {
  states_[piece] = state::done;
}

bool work_board::is_free(std::size_t piece) const {
  return piece < states_.size() && states_[piece] == state::free;
}

std::optional<std::size_t> work_board::take(std::optional<std::size_t> after) {
  if (after)
    states_[*after] = state::done;
  if (after && is_free(*after + 1) && groups_[*after + 1] == groups_[*after]) {
    states_[*after + 1] = state::taken;
    return *after + 1;
  }
  // Of the first group that has one: where it begins, and how long it is.
  std::size_t best = 0;
  std::size_t longest = 0;
  for (std::size_t from = 0; from < states_.size();) {
    std::size_t to = from;
    while (is_free(to) && groups_[to] == groups_[from])
      ++to;
    if (longest > 0 && groups_[from] != groups_[best])
      break;
    if (to - from > longest) {
      best = from;
      longest = to - from;
    }
    from = to > from ? to : from + 1;
  }
  if (longest == 0)
    return std::nullopt;
  const bool awaited = best > 0 && groups_[best - 1] == groups_[best]
                       && states_[best - 1] == state::taken;
  const auto piece = awaited ? best + longest / 2 : best;
  states_[piece] = state::taken;
  return piece;
}

} // namespace troupe::media
