#pragma once

#include "actors/store/audit.hpp"
#include "actors/store/redis_group.hpp"

#include <deque>
#include <functional>
#include <optional>
#include <span>
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
  /// A member of a set and its score, or a field of a hash and its value.
  struct entry {
    const std::string& name;
    const std::string& value;
  };
  /// What is asked about an entry; nothing: it is passed over.
  using question = std::function<std::vector<redis_args>(const entry&)>;
  /// Replies to that, read at one instant.
  using answers = std::span<redisReply* const>;
  using judgement = std::function<result<void>(const entry&, answers)>;
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
  /// Asks about each entry of a page, and judges them one by one.
  result<void> look_at(redis_key key, std::string_view verb,
                       const question& ask, const judgement& judge);
  bool find(const char* invariant, std::string subject, std::string detail);
  /// Writes a repair; tells in the newest finding whether it was done.
  result<void> mend(redis_group& group);
  /// The same in a group of its own, which has read time and version.
  result<void> mend(const std::function<void(redis_group&)>& repair);

  result<void> kinds();

  // Jobs (redis_audit_jobs.cpp).
  result<void> jobs();
  result<void> check_job(const suspect& it, const redisReply& replies,
                         std::size_t at, timestamp_ms now);
  result<void> check_batch_of(const suspect& it, bool stored);
  result<void> mend_job(const suspect& it);
  /// What cannot be read ends as failed; see `audit_rules.hpp`.
  result<void> bury(const suspect& it);
  /// The same of one that is gone, but for where it stood among the states.
  result<void> restore(const std::string& id, const std::string& member);

  // Indexes (redis_audit_index.cpp).
  result<void> index(redis_key key);
  result<void> check_entry(redis_key key, const std::string& member,
                           const std::string& id, answers about);
  result<void> unique();

  // Records (redis_audit_records.cpp).
  result<void> links();
  result<void> check_link(char kind, const std::string& owner,
                          const std::string& member, answers about);
  result<void> check_pending(const suspect& it);
  result<void> tallies();
  result<void> batches();
  result<void> check_tally(const std::string& batch);

  // Records that are due (redis_audit_due.cpp).
  result<void> records();
  result<void> check_record(const std::string& field, answers about,
                            timestamp_ms now);
  result<void> check_ties(record_kind kind, const std::string& key,
                          std::string_view body, answers about);
  result<void> due(redis_key key);

  // Answers and numbers (redis_audit_answers.cpp).
  result<void> kept_answers();
  result<void> forgetting();
  result<void> sequence();

  // Limits and the clock (redis_audit_flow.cpp).
  result<void> limits();
  result<void> check_limit(const std::string& name);
  result<void> tokens();
  result<void> check_token(const std::string& name);
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
