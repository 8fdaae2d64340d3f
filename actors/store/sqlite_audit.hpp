#pragma once

#include "actors/store/audit.hpp"
#include "actors/store/job.hpp"
#include "actors/store/sqlite_db.hpp"
#include "actors/store/sqlite_transaction.hpp"

#include <string>

namespace troupe::store {

/// What is looked at, in this order.
enum audit_phase : char {
  phase_links = 'k',
  phase_named = 'n',
  phase_jobs = 'j',
  phase_drafts = 'd',
  phase_limits = 'f',
  phase_heads = 'h',
  phase_lists = 'l',
  phase_counters = 'c',
  phase_held = 'g',
  phase_tallies = 't',
  phase_records = 'r',
  phase_answers = 'a',
  phase_end = 'e',
};

/// The number that a position begins with, or 0.
[[nodiscard]] std::int64_t number_in(std::string_view text);

/// The first step: whether the file is whole. It takes as long as reading the
/// file does, or gives up after `file_ms`. Repaired by making its indexes anew.
[[nodiscard]] result<audit_result> audit_file(sqlite_db& db,
                                              const audit_request& request);

/// One step of an audit within a transaction, which makes it exact: the
/// connection sees one state of the database, whoever else writes.
///
/// Jobs come first; what is mended there shows in the heads and counters that
/// come after.
class sqlite_audit {
public:
  /// @pre `request.cursor` is not empty
  sqlite_audit(sqlite_db& db, sqlite_transaction& in,
               const audit_request& request, const store_options& options);

  audit_result run();

private:
  struct job_row {
    std::int64_t seq = 0;
    std::string id, queue, group, batch, unique_key;
    std::int64_t priority = 0, state = 0, lease_until = 0, finished_at = 0;
    std::int64_t score = 0;
    bool readable = false;
    struct job job; ///< with state, run_at and node of the row
  };
  struct record_row {
    std::int64_t row = 0;
    record_kind kind{};
    std::string key, body;
    std::int64_t lane = 0;
    timestamp_ms due = 0;
    bool indexed = true;
  };

  void jobs(std::int64_t after);
  void check(const job_row& it);
  bool is_of_two(const job_row& it);
  void check_columns(const job_row& it);
  void check_times(const job_row& it);
  void check_lease(const job_row& it);
  void check_place(const job_row& it);
  void check_batch_of(const job_row& it);
  void restore(std::int64_t seq);
  void named(const std::string& position);
  bool exists(const char* sql, const std::string& key);
  void check_ties(const record_row& it);
  void answers(std::int64_t after);
  void drafts(std::int64_t after);
  void heads(const std::string& position);
  void check_head(const ready_list& list, ready_place place, bool parked);
  bool has_room(const ready_list& list);
  void lists(const std::string& position);
  void counters();
  void held();
  void links(const std::string& position);
  void records(std::int64_t after);
  void check_record(const record_row& it);
  void check_batch(const record_row& it);
  void indexes(std::int64_t after_seq, std::int64_t last_seq);
  void limits(const std::string& after_name);
  void check_limit(const std::string& name, const std::string& body,
                   timestamp_ms due);
  void set_limit(const std::string& name, const flow_limit& limit);
  void clock();
  void check_pending(std::int64_t seq, const job& it, job_state state);
  void tallies();

  bool find(const char* invariant, std::string subject, std::string detail);
  void go_on(char phase, std::string position, bool at_end);

  sqlite_db& db_;
  sqlite_transaction& in_;
  sqlite_flow& flow_;
  const audit_request& request_;
  const store_options& options_;
  const timestamp_ms now_;
  audit_result out_;
};

} // namespace troupe::store
