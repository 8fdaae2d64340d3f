#pragma once

#include "actors/store/flow_limits.hpp"
#include "actors/store/job_store.hpp"
#include "actors/store/redis_changes.hpp"
#include "actors/store/redis_client.hpp"
#include "actors/store/redis_pace.hpp"
#include "actors/store/redis_record.hpp"
#include "actors/store/transaction.hpp"
#include "actors/store/transitions.hpp"

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe::store {

/// Large jobs make small groups.
inline constexpr std::size_t bytes_per_group = 512 * 1024;

/// The field of a record among `records`.
[[nodiscard]] std::string field_of(record_kind kind, std::string_view key);
/// What a member of `links` begins with: kind, size of the owner, owner.
[[nodiscard]] std::string link_prefix(link_kind kind, std::string_view owner);

/// A transaction: reads what it needs, lets its owner change jobs in memory,
/// and writes all changes in one script, unless another server was faster.
///
/// Invariant: `entries_` holds what was read, `was` as it is stored and
/// `record` as it will be; `waiting` counts jobs as they will be.
class redis_group final : public transaction {
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
    bool is_guarded = false; ///< not written, but must not have changed
    redis_record record;
    place was;
    std::string token; ///< of what is stored; empty: nothing
    std::size_t bytes = 0;
  };

  redis_group(redis_client& client, const store_options& options)
    : client_{client}, options_{options} {
    // nop
  }

  // -- reading ----------------------------------------------------------------

  void need_job(std::string_view id);
  void need_holder(std::string_view unique_key);
  void need_answer(std::string_view scope);
  /// Sequences for so many new jobs, and how many jobs wait.
  void need_room(std::size_t jobs);
  /// The limit of a queue or key, by `flow_name_of_…`; the name is copied.
  void need_limit(const std::string& name);
  /// A command whose reply `extra` holds after the next `read`.
  void need(redis_args command);
  /// Reads what is needed, and time and version at first.
  result<void> read();
  [[nodiscard]] const redisReply& extra(std::size_t at) const {
    return *extra_.at(at);
  }

  /// Jobs that it should change at most.
  [[nodiscard]] std::size_t most_jobs() const noexcept {
    return client_.pace().jobs();
  }

  // -- changing ---------------------------------------------------------------

  [[nodiscard]] timestamp_ms now() const noexcept override {
    return now_;
  }
  [[nodiscard]] durability reached() const noexcept override {
    return client_.level();
  }
  /// @pre `id` was read
  entry& at(std::string_view id);
  /// Notes that `it.record.job` was in `before` and is to be written.
  void changed(entry& it, job_state before);
  /// A queued job that cannot be read ends as failed.
  /// @param known queue, group and priority, as the index has them
  /// @pre `id` was read, and is `corrupt`
  void bury(std::string_view id, const job_draft& known, std::string_view rank);

  // As every transaction; what was not read before costs a round trip.
  void prefetch(std::span<const std::string> ids) override;
  found_job find(const std::string& id) override;
  void save(job& changed, job_state before) override;
  void save_draft(job& changed, job_state before) override {
    save(changed, before);
  }
  void guard(const job& read) override;
  job* insert(job added, bool promised) override;
  void erase(const job& it) override;
  job answer_of(job& it) override {
    return it;
  }
  bool has_room_for(std::size_t jobs, bool promised) override;
  std::string holder_of(const std::string& unique_key) override;
  std::optional<kept_answer> kept(const std::string& scope) override;
  void keep(const std::string& scope, kept_answer answer) override;
  void prefetch(std::span<const record_name> names) override;
  std::optional<std::string> read(record_kind kind,
                                  const std::string& key) override;
  void write(record_kind kind, const std::string& key, std::string body,
             timestamp_ms due = 0) override;
  void remove(record_kind kind, const std::string& key) override;
  std::vector<record_name> due(due_lane lane, std::size_t max) override;
  timestamp_ms next_due(due_lane lane) override;
  void link(link_kind kind, const std::string& owner,
            const std::string& member) override;
  void unlink(link_kind kind, const std::string& owner,
              const std::string& member) override;
  std::vector<std::string> links(link_kind kind, const std::string& owner,
                                 const std::string& after,
                                 std::size_t max) override;
  counters tally(const std::string& batch) override;
  void drop_tally(const std::string& batch) override;

  /// Of the data, when it was first read.
  [[nodiscard]] std::string_view version() const noexcept {
    return version_;
  }
  /// What names the limits as they are now; empty: there has been none ever.
  [[nodiscard]] std::string_view limits_version() const noexcept {
    return limits_version_;
  }
  /// Nothing is written if a limit was changed by now.
  void expect_limits();
  flow_limit limit(const std::string& name) override;
  void put_limit(const std::string& name, const flow_limit& limit) override;
  /// Keeps a limit of which only the bucket has changed.
  void save_limit(const std::string& name, const flow_limit& limit);

  [[nodiscard]] const alive_clock& alive() const noexcept {
    return alive_;
  }
  /// Somebody renews leases now.
  void renew_clock();
  /// The same, whatever it said before: nothing expires for one lease.
  void reset_clock() {
    alive_ = {};
    renew_clock();
  }

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
  struct record_entry {
    bool is_read = false; ///< `token` is of what is stored; empty: nothing
    bool dirty = false;
    std::string token;
    std::optional<std::string> body;
    timestamp_ms due = 0;
  };
  struct limit_entry {
    std::string stored;
    flow_limit now;
    bool dirty = false;
  };
  using replies = std::vector<redis_reply_ptr>;

  /// What to ask, and who takes the reply.
  struct question {
    redis_args command;
    void (redis_group::*take)(const redisReply& reply);
  };

  /// As `read`, for those who cannot be told: the failure sticks.
  bool read_now();
  const redisReply* ask_now(redis_args command);
  /// Sees to it that so many jobs can be numbered.
  bool number(std::size_t jobs);
  void need_record(const std::string& field);
  void take_records(const redisReply& reply);
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
  void take_limits(const redisReply& reply);
  void hold(const entry& it, job_state before);
  void count(const job& it, job_state state, int by);
  void leave(const entry& it, const std::string& lane);
  void enter(const entry& it, const std::string& lane);
  void write_entry(const std::string& id, entry& it);
  void move(const entry& it);
  void count_lease(const entry& it);
  void write_holders();
  void write_answers();
  void write_records();
  void write_links();
  void write_limits();

  redis_client& client_;
  const store_options& options_;
  std::vector<std::string_view> jobs_, holders_needed_, answers_needed_,
    records_needed_, limits_needed_; ///< keys of the maps below
  std::vector<redis_args> extra_needed_;
  std::vector<question> questions_;
  replies extra_;
  std::optional<failure> failure_;
  std::size_t new_jobs_ = 0;
  std::size_t sequences_left_ = 0; ///< numbers for new jobs
  bool knows_waiting_ = false;
  bool has_begun_ = false;
  bool adds_ = false;
  timestamp_ms now_ = 0;
  std::string version_, limits_version_;
  alive_clock alive_;
  std::uint64_t sequence_ = 0; ///< the newest that is in use
  std::int64_t waiting_ = 0;
  std::unordered_map<std::string, entry> entries_;
  std::unordered_map<std::string, holder_entry> holders_;
  std::unordered_map<std::string, answer_entry> answers_;
  std::unordered_map<std::string, record_entry> records_; ///< by field
  std::unordered_map<std::string, bool> links_; ///< by member; false: gone
  std::unordered_map<std::string, limit_entry> limits_;
};

} // namespace troupe::store
