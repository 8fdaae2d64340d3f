#pragma once

#include "actors/store/job_store.hpp"
#include "actors/store/redis_changes.hpp"
#include "actors/store/redis_client.hpp"
#include "actors/store/redis_record.hpp"
#include "actors/store/transitions.hpp"

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe::store {

/// Jobs that one group changes at most; its script then takes well under 5 ms.
inline constexpr std::size_t jobs_per_group = 256;
/// Large jobs make small groups.
inline constexpr std::size_t bytes_per_group = 512 * 1024;

/// A transaction: reads what it needs, lets its owner change jobs in memory,
/// and writes all changes in one script, unless another server was faster.
///
/// Invariant: `entries_` holds what was read, `was` as it is stored and
/// `record` as it will be; `waiting` counts jobs as they will be.
class redis_group {
public:
  /// Where a stored job stands in the indexes. What never changes is not here.
  struct place {
    bool present = false;
    job_state state = job_state::queued;
    timestamp_ms run_at = 0;
    timestamp_ms finished_at = 0;
    timestamp_ms lease_until = 0;
    std::uint64_t sequence = 0;
    std::int64_t score = 0;
  };

  struct entry {
    errc error = errc::not_found; ///< `none`: `record` holds the job
    bool dirty = false;
    redis_record record;
    place was;
    std::string token; ///< of what is stored; empty: nothing
    std::size_t bytes = 0;
  };

  redis_group(redis_client& client, const store_options& options)
    : client_{client}, options_{options} {
    // nop
  }

  // -- reading; names outlive the group ---------------------------------------

  void need_job(std::string_view id);
  void need_holder(std::string_view unique_key);
  void need_answer(std::string_view scope);
  /// Sequences for so many new jobs, and how many jobs wait.
  void need_room(std::size_t jobs);
  /// A command whose reply `extra` holds after the next `read`.
  void need(redis_args command);
  /// Reads what is needed, and time and version at first.
  result<void> read();
  [[nodiscard]] const redisReply& extra(std::size_t at) const {
    return *extra_.at(at);
  }

  // -- changing ---------------------------------------------------------------

  [[nodiscard]] timestamp_ms now() const noexcept {
    return now_;
  }
  /// @pre `id` was read
  entry& at(std::string_view id);
  /// The job that holds this key, if any. @pre the key was read
  std::string_view holder_of(const std::string& unique_key);
  /// Notes that `it.record.job` was in `before` and is to be written.
  void changed(entry& it, job_state before);
  /// @return false when there is no room
  bool insert(entry& it, job added);
  /// Forgets a terminal job.
  void erase(entry& it);
  /// @return null when nothing was answered within a day
  const redis_answer* answer_of(const std::string& scope);
  void remember(const std::string& scope, redis_answer answer);

  [[nodiscard]] const alive_clock& alive() const noexcept {
    return alive_;
  }
  /// Somebody renews leases now.
  void renew_clock();

  /// Written beside the jobs.
  redis_changes changes;
  bool has_room = true; ///< false: the server is short of memory

  // -- writing ----------------------------------------------------------------

  /// Changes nothing and answers false when what was read is no longer so.
  result<bool> write();

private:
  struct answer_entry {
    std::string token;
    redis_answer known;
    bool dirty = false;
  };
  struct holder_entry {
    std::string stored, now;
  };
  using replies = std::vector<redis_reply_ptr>;

  /// What to ask, and who takes the reply.
  struct question {
    redis_args command;
    void (redis_group::*take)(const redisReply& reply);
  };

  void ask_for_time();
  void ask_for_room(std::string_view jobs);
  void ask_for_fields();
  void take_time(const redisReply& reply);
  void take_meta(const redisReply& reply);
  void take_sequence(const redisReply& reply);
  void take_waiting(const redisReply& reply);
  void take_jobs(const redisReply& reply);
  void take_holders(const redisReply& reply);
  void take_answers(const redisReply& reply);
  void hold(const entry& it, job_state before);
  void leave(const entry& it, const std::string& lane);
  void enter(const entry& it, const std::string& lane);
  void write_entry(const std::string& id, entry& it);
  void move(const entry& it);
  void write_holders();
  void write_answers();

  redis_client& client_;
  const store_options& options_;
  std::vector<std::string_view> jobs_, holders_needed_, answers_needed_;
  std::vector<redis_args> extra_needed_;
  std::vector<question> questions_;
  replies extra_;
  std::size_t new_jobs_ = 0;
  bool has_begun_ = false;
  bool adds_ = false;
  timestamp_ms now_ = 0;
  std::string version_;
  alive_clock alive_;
  std::uint64_t sequence_ = 0; ///< the newest that is in use
  std::int64_t waiting_ = 0;
  std::unordered_map<std::string, entry> entries_;
  std::unordered_map<std::string, holder_entry> holders_;
  std::unordered_map<std::string, answer_entry> answers_;
};

} // namespace troupe::store
