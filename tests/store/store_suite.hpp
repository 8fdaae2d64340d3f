#pragma once

#include "actors/store/transitions.hpp"
#include "actors/store/ulid.hpp"
#include "tests/store/store_fixture.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe::store::testing {

/// The suite that every store passes: one parameter per store. Time goes by
/// with `advance`; what runs between two calls of it takes far less than the
/// second that the tests leave as a margin.
class StoreSuite : public ::testing::TestWithParam<store_kind> {
protected:
  static constexpr std::int64_t second = 1000;
  static constexpr std::int64_t lease_ms = 10 * second;

  StoreSuite();

  /// The store, opened at first use with `options`.
  job_store& store();
  /// Lets the store's time go by.
  void advance(std::int64_t ms);
  /// Advances in steps short enough for `alive` to have no gap.
  void advance_renewing(std::int64_t ms,
                        const std::vector<held_lease>& leases = {});
  /// Closes the store and opens it anew.
  void reopen();
  [[nodiscard]] bool persists() const {
    return fixture_->persists();
  }

  // Drafts: a job of queue "download" that may be changed before it is used.
  job_draft draft();
  job_draft draft(const std::string& queue, std::int32_t priority = 5);

  // Single operations, checked for an answer.
  applied apply(operation op);
  std::vector<applied> apply_all(const std::vector<operation>& ops);
  job submit(job_draft draft);
  job submit();
  std::vector<job> claim(std::uint32_t max = 1,
                         const std::string& queue = "download");
  /// The same with all that a claim tells.
  claim_result claim_told(std::uint32_t max = 1,
                          const std::string& queue = "download");
  /// A job of queue "download" with a `concurrency_key`.
  job_draft keyed(const std::string& key);
  /// Submits so many of them. @return their ids
  std::vector<std::string> submit_keyed(const std::string& key,
                                        std::size_t count);
  void limit_key(const std::string& key, std::uint32_t concurrency,
                 double rate_per_s = 0);
  void limit_queue(const std::string& queue, std::uint32_t concurrency,
                   double rate_per_s = 0);
  /// Submits a job and claims it; nothing else may be ready.
  job running(job_draft draft);
  job running();
  job get(const std::string& id);
  errc get_error(const std::string& id);
  sweep_result sweep();
  /// Follows until there is no more: all that was done.
  follow_result follow();
  batch_submitted submit_batch(const std::string& id,
                               const std::vector<job_draft>& jobs);
  std::vector<job> list(list_query query = {});
  std::uint64_t depth(job_state state, const std::string& queue = "download");

  applied succeed(const job& held, std::string result = "{}");
  applied fail(const job& held, bool retryable = true);
  applied release(const job& held, release_reason why);
  applied commit(const job& held);
  applied cancel(const std::string& id);
  applied retry(const std::string& id);
  applied purge(const std::string& id);
  applied pause(const std::string& id);
  applied resume(const std::string& id);

  store_options options;
  std::string node = "node-1";
  std::uint64_t nonce = 7; ///< of the next claim or sweep

private:
  ulid_minter ids_;
  std::shared_ptr<std::int64_t> offset_;
  std::unique_ptr<store_fixture> fixture_;
  std::unique_ptr<job_store> store_;
};

/// A manifest with one file.
std::vector<media::staged_file> some_files();

std::vector<std::string> ids_of(const std::vector<job>& jobs);

} // namespace troupe::store::testing
