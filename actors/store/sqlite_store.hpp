#pragma once

#include "actors/store/job_store.hpp"
#include "actors/store/sqlite_db.hpp"
#include "actors/store/sqlite_rows.hpp"
#include "actors/store/transitions.hpp"

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace troupe::store {

/// Jobs in an SQLite database: a file (`sqlite:PATH`, durability `disk`), or
/// memory (`memory:`), which is gone with the store. Each call is one
/// transaction, so a group of operations costs one sync.
class sqlite_store final : public job_store {
public:
  sqlite_store(std::unique_ptr<sqlite_db> db, store_options options,
               durability level);

  result<std::vector<applied>> apply(std::span<const operation> ops) override;
  result<std::vector<job>> claim(const claim_request& request) override;
  result<std::vector<errc>> renew(std::span<const held_lease> leases,
                                  std::int64_t lease_ms) override;
  result<sweep_result> sweep(const sweep_request& request) override;
  result<sweep_result> adopt(const sweep_request& request) override;
  result<job> get(const std::string& id) override;
  result<job_page> list(const list_query& query) override;
  result<std::vector<queue_depth>> depths() override;

  [[nodiscard]] durability level() const noexcept override {
    return level_;
  }

private:
  [[nodiscard]] timestamp_ms now() const;
  double random();

  // One operation each, within the transaction.
  applied perform(const submit_op& op, timestamp_ms now);
  applied perform(const checkpoint_op& op, timestamp_ms now);
  applied perform(const commit_op& op, timestamp_ms now);
  applied perform(const succeed_op& op, timestamp_ms now);
  applied perform(const fail_op& op, timestamp_ms now);
  applied perform(const release_op& op, timestamp_ms now);
  applied perform(const cancel_op& op, timestamp_ms now);
  applied perform(const retry_op& op, timestamp_ms now);
  applied perform(const purge_op& op, timestamp_ms now);
  template <class Step>
  applied change(const std::string& id, Step step);
  applied add(const job_draft& draft, timestamp_ms now);
  applied known(result<stored_job> found);
  errc renew_one(const held_lease& lease, timestamp_ms until);

  // Steps of a sweep: each looks at `max` rows at most and tells in
  // `out.more` when it stopped there.
  std::vector<std::int64_t> take(cursor rows, std::size_t max, bool& more);
  void promote_due(timestamp_ms now, std::size_t max, sweep_result& out);
  void expire_due(const sweep_request& request, sweep_result& out);
  void end_lease(stored_job found, const sweep_request& request, bool lost,
                 sweep_result& out);
  void trim(const sweep_request& request, sweep_result& out);
  std::size_t trim_state(job_state state, timestamp_ms until, std::size_t max);
  std::size_t trim_excess(std::size_t max);
  void find_next_due(sweep_result& out);
  alive_clock read_clock();

  // Pages of a list.
  cursor open_list(const list_query& query, std::int64_t below);

  std::unique_ptr<sqlite_db> db_;
  const store_options options_;
  const durability level_;
  std::mt19937_64 generator_{std::random_device{}()};
  sqlite_rows rows_;

  statement answer_;
  statement keep_answer_;
  statement drop_answers_;
  statement due_;
  statement expired_;
  statement leases_;
  statement finished_;
  statement first_due_;
  statement first_lease_;
  statement clock_;
  statement write_clock_;
  statement list_all_;
  statement list_state_;
  statement list_batch_;
};

/// Opens `sqlite:PATH` or `memory:`.
/// @returns as `open_job_database`.
[[nodiscard]] result<std::unique_ptr<job_store>>
open_sqlite_store(const store_options& options);

} // namespace troupe::store
