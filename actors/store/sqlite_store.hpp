#pragma once

#include "actors/store/sqlite_db.hpp"
#include "actors/store/sqlite_transaction.hpp"
#include "actors/store/transactional_store.hpp"
#include "actors/store/transitions.hpp"

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace troupe::store {

/// Jobs in an SQLite database: a file (`sqlite:PATH`, durability `disk`), or
/// memory (`memory:`), which is gone with the store. Each call is one
/// transaction, so a group of operations costs one sync.
class sqlite_store final : public transactional_store {
public:
  sqlite_store(std::unique_ptr<sqlite_db> db, store_options options,
               durability level);

  result<std::vector<applied>> apply(std::span<const operation> ops) override;
  result<claim_result> claim(const claim_request& request) override;
  result<std::vector<errc>> renew(std::span<const held_lease> leases,
                                  std::int64_t lease_ms) override;
  result<sweep_result> sweep(const sweep_request& request) override;
  result<sweep_result> adopt(const sweep_request& request) override;
  result<job> get(const std::string& id) override;
  result<job_page> list(const list_query& query) override;
  result<std::vector<queue_depth>> depths() override;
  result<audit_result> audit(const audit_request& request) override;

  [[nodiscard]] durability level() const noexcept override {
    return level_;
  }

protected:
  result<void> transact(access how, const step& once) override;
  [[nodiscard]] std::size_t jobs_at_once() const noexcept override {
    return max_batch_jobs;
  }

private:
  errc renew_one(const held_lease& lease, timestamp_ms until);

  // Steps of a sweep: each looks at `max` rows at most and tells in
  // `out.more` when it stopped there.
  std::vector<std::int64_t> take(cursor rows, std::size_t max, bool& more);
  void promote_due(timestamp_ms now, std::size_t max, sweep_result& out);
  void expire_due(const sweep_request& request, sweep_result& out);
  void end_lease(stored_job found, const sweep_request& request, bool lost,
                 sweep_result& out);
  void trim(const sweep_request& request, sweep_result& out);
  /// Where a look at what may be forgotten goes on: past those that are kept.
  struct trim_place {
    timestamp_ms finished_at = 0;
    std::int64_t seq = 0;
  };
  std::size_t trim_state(job_state state, timestamp_ms until, std::size_t max,
                         trim_place& from, bool& more);
  std::size_t trim_excess(std::size_t max, bool& more);
  void find_next_due(sweep_result& out);
  alive_clock read_clock();

  // Pages of a list.
  cursor open_list(const list_query& query, std::int64_t below);

  std::unique_ptr<sqlite_db> db_;
  const durability level_;
  sqlite_transaction in_;
  sqlite_rows& rows_ = in_.rows();

  statement drop_answers_;
  std::array<trim_place, job_state_count> old_, surplus_; ///< by state

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
