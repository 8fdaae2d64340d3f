#pragma once

#include "actors/store/audit.hpp"
#include "actors/store/redis_group.hpp"

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::store {

/// One step of an audit. Whatever is judged was read at one instant (MULTI);
/// what had changed since the page was read is left to the next audit. Repairs
/// are compared and set, like every write.
class redis_audit {
public:
  redis_audit(redis_client& client, const store_options& options,
              const audit_request& request);

  result<audit_result> run();

private:
  /// A job of the page, with the bytes that it begins with.
  struct suspect {
    std::string id, token;
    redis_record record;
    bool readable = false;
  };
  /// A member of an index that names a job, and the place in the index.
  struct entry {
    std::string member, id;
    std::int64_t score = 0;
  };
  /// What stands where of a lane.
  struct lane_state {
    std::string lane, rank; ///< of its first job; empty: nothing is queued
    bool head = false, parked_head = false, parked_lane = false;
  };

  // Reading (redis_audit.cpp).
  std::string_view keep(std::string text);
  result<redis_reply_ptr> at_once(std::vector<redis_args> commands);
  /// A page of a hash or a set, by its own cursor.
  result<std::vector<std::string>> scan(redis_key key, std::string_view verb);
  bool find(const char* invariant, std::string subject, std::string detail);
  /// Writes a repair; tells in the newest finding whether it was done.
  result<void> mend(redis_group& group);

  // Jobs (redis_audit.cpp).
  result<void> jobs();
  result<void> check_job(const suspect& it, const redisReply& replies,
                         std::size_t at);
  result<void> mend_job(const suspect& it);
  /// What cannot be read ends as failed; see `audit_rules.hpp`.
  result<void> bury(const suspect& it);

  // Indexes (redis_audit_index.cpp).
  result<void> index(redis_key key);
  result<void> check_entry(redis_key key, const entry& it,
                           const redisReply& job, bool present);
  result<void> unique();

  // Records (redis_audit_records.cpp).
  result<void> links();
  result<void> check_link(char kind, const std::string& owner,
                          const std::string& member, const redisReply& replies,
                          std::size_t at);
  result<void> check_pending(const suspect& it);
  result<void> tallies();
  result<void> batches();
  result<void> check_tally(const std::string& batch);

  // Records that are due (redis_audit_due.cpp).
  result<void> records();
  result<void> check_record(const std::string& field, const redisReply& replies,
                            std::size_t at, timestamp_ms now);
  result<void> due(redis_key key);

  // Limits and the clock (redis_audit_flow.cpp).
  result<void> limits();
  result<void> check_limit(const std::string& name);
  result<void> clock();

  // The ready order (redis_audit_order.cpp).
  result<void> lanes(redis_key key);
  result<void> check_lane(const std::string& lane, const std::string& seen);
  result<void> judge_lane(const lane_state& it);
  result<void> check_room(const std::string& lane);

  // Counters (redis_audit_counts.cpp).
  result<void> counters();
  result<std::vector<std::string>> queues_counted();
  result<void> recount();
  result<void> running();

  redis_client& client_;
  const store_options& options_;
  const audit_request& request_;
  std::string count_;
  std::string cursor_, next_;
  std::deque<std::string> texts_; ///< they never move
  audit_result out_;
};

/// The member that stands for a job in an index, or nothing if it is not to be
/// there; the score that it has.
struct index_place {
  std::string member;
  std::int64_t score = 0;
};
[[nodiscard]] std::optional<index_place> place_in(redis_key key,
                                                  const redis_record& it);
/// What a finding calls an index.
[[nodiscard]] const char* name_of_index(redis_key key);

} // namespace troupe::store
