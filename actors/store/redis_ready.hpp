#pragma once

#include "actors/store/redis_gate.hpp"
#include "actors/store/redis_group.hpp"
#include "actors/store/redis_guess.hpp"

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::store {

/// A member of `ready`.
struct candidate {
  std::string member;
  std::size_t lane_size = 0;

  [[nodiscard]] std::string_view lane() const {
    return std::string_view{member}.substr(0, lane_size);
  }
  [[nodiscard]] std::string_view rank() const {
    return std::string_view{member}.substr(lane_size, rank_size);
  }
  [[nodiscard]] std::string_view id() const {
    return std::string_view{member}.substr(lane_size + rank_size);
  }
};

/// Reads the best of a queue. The heads name the lanes; of each, as many jobs
/// are read as may be among the best. Lanes of groups without room are passed
/// over.
class ready_reader {
public:
  ready_reader(redis_group& group, redis_gate& gate, std::string_view queue,
               std::size_t max);

  /// To be read with what else the group needs, and with that what `guess`
  /// says of lanes and jobs.
  void need_heads(const claim_guess& guess);
  /// Takes these from the group's replies, from `at` on.
  void take_heads(std::size_t at);

  /// @pre the heads were taken, and the gate knows the queue
  result<std::vector<candidate>> best();

  /// Parks the lanes whose groups have no room after the claim.
  /// @return false if there were none
  bool park_full();
  /// There are more lanes than were looked at.
  [[nodiscard]] bool is_cut() const noexcept {
    return !last_head_.empty();
  }
  /// Those that were looked at.
  [[nodiscard]] std::vector<std::string> take_lanes() noexcept {
    return std::move(lanes_);
  }

private:
  void need_range(redis_key key, std::string_view prefix, std::size_t count);
  [[nodiscard]] bool take_guessed();
  result<void> read_lanes(std::size_t each);
  void sort_found(std::string_view bound);
  static void take_lane(std::size_t lane_size, const redisReply& members,
                        std::vector<candidate>& to);
  std::vector<candidate> choose(std::size_t most);

  redis_group& group_;
  redis_gate& gate_;
  std::string prefix_;
  std::size_t max_;
  std::size_t heads_;             ///< to be read
  std::deque<std::string> texts_; ///< they never move
  std::vector<std::string> lanes_;
  /// Lanes that were read as a guess, each with its first `max_` jobs.
  std::vector<std::pair<std::string, std::vector<candidate>>> guessed_;
  std::string last_head_; ///< rank of the last lane, if more may follow
  std::vector<candidate> found_;
  bool is_lane_cut_ = false;
};

} // namespace troupe::store
