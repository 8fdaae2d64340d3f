#pragma once

#include "actors/store/job_store.hpp"
#include "actors/store/transaction.hpp"

#include <functional>

namespace troupe::store {

/// What is the same in every store that has transactions.
class transactional_store : public job_store {
public:
  result<follow_result> follow(const sweep_request& request) override;
  result<batch_submitted> submit_batch(const batch_draft& draft,
                                       std::span<const job_draft> jobs,
                                       const idempotency& key) override;
  result<batch> get_batch(const std::string& id) override;
  result<bulk_result> bulk(const bulk_request& request) override;
  result<std::vector<schedule>> schedules() override;
  result<schedule> get_schedule(const std::string& name) override;
  result<void> put_stream(const stream_record& it) override;
  result<void> drop_stream(const std::string& id) override;
  result<stream_record> get_stream(const std::string& id) override;
  result<std::vector<stream_record>> streams(const std::string& after) override;
  result<std::vector<callback>> take_callbacks(std::uint32_t max) override;
  result<std::vector<callback>> dead_callbacks(const std::string& after,
                                               std::uint32_t max) override;
  result<void> retry_callback(const std::string& id) override;
  result<std::string> log_of(const std::string& id) override;
  result<std::vector<queue_info>> queues() override;
  result<key_limit> limit_of(const std::string& key) override;

protected:
  explicit transactional_store(store_options options)
    : options_{std::move(options)} {
    // nop
  }

  enum class access : std::uint8_t {
    read,
    write,
    add, ///< writes, and adds jobs if there is memory for them
  };

  /// What is done in one transaction; it is done again, from the start, when
  /// another server got in its way. An error undoes it.
  using step = std::function<errc(transaction&)>;

  virtual result<void> transact(access how, const step& once) = 0;
  /// Waits, as far as it can and has to, until all that was written is as
  /// safe as asked; notes in these jobs what was reached. For a store that
  /// promises the same for all it takes, nothing.
  virtual result<durability> secure(durability asked,
                                    std::span<const std::string> jobs);
  /// Jobs that one transaction adds at most.
  [[nodiscard]] virtual std::size_t jobs_at_once() const noexcept = 0;

  const store_options options_;

private:
  result<void> stage(const batch_draft& draft, std::span<const job_draft> jobs);
  result<void> open_all(const std::string& batch);
  result<void> add_staged(const batch_draft& draft,
                          std::span<const job_draft> jobs,
                          const idempotency& key,
                          const batch_submitted& answer);
  result<void> secure_batch(const batch_draft& draft,
                            std::span<const job_draft> jobs,
                            const idempotency& key);
  template <class Operation>
  result<std::size_t> drop_jobs(std::span<const std::string> jobs);
  result<void> withdraw_batch(const batch_draft& draft,
                              std::span<const std::string> jobs,
                              const idempotency& key);
};

} // namespace troupe::store
