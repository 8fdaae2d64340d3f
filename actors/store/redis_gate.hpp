#pragma once

#include "actors/store/flow_limits.hpp"
#include "actors/store/redis_group.hpp"

#include <deque>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace troupe::store {

/// What one claim in Redis may take of its queue and of the groups that it
/// comes upon. Where there are no limits it reads nothing and lets all pass.
///
/// Invariant: what it lets pass is written only if limits, buckets and counts
/// allow it then, too.
class redis_gate {
public:
  /// @param expects_limits there were some when last looked
  redis_gate(redis_group& group, std::string_view queue, bool expects_limits);

  [[nodiscard]] bool expects_limits() const noexcept {
    return expects_limits_;
  }
  /// There are limits. @pre the group has begun to read
  [[nodiscard]] bool limits() const noexcept {
    return !group_.limits_version().empty();
  }

  /// To be read with what else the group needs: as many replies as it says.
  std::size_t need_queue();
  /// Takes these from the group's reply `at` on.
  void take_queue(std::size_t at);
  /// Groups wait for a token that has come: to be let go first.
  [[nodiscard]] bool has_due() const;

  /// The same for the groups of lanes that are not known yet.
  void need_groups(std::span<const std::string> lanes);
  void take_groups(std::size_t at);

  [[nodiscard]] std::uint32_t room() const noexcept {
    return gate_.room();
  }
  [[nodiscard]] bool has_room(const std::string& key) const {
    return gate_.has_room(key);
  }
  void take(const std::string& key) {
    gate_.take(key);
  }
  void reset() {
    gate_.reset();
  }
  void park(std::string_view lane, const std::string& key);

  /// Notes what was taken in the group's changes.
  void write();
  /// When a claim of this queue may find more; 0: nobody knows.
  [[nodiscard]] timestamp_ms next_at() const noexcept {
    return next_at_;
  }

private:
  void come_back(timestamp_ms at);

  redis_group& group_;
  std::string queue_name_;
  bool expects_limits_;
  flow_gate gate_;
  std::deque<std::string> texts_; ///< they never move
  std::vector<std::string> asked_;
  std::set<std::string> known_;
  timestamp_ms first_due_ = 0;
  timestamp_ms next_at_ = 0;
};

} // namespace troupe::store
