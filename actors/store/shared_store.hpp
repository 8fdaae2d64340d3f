#pragma once

#include "actors/store/job_store.hpp"

#include <memory>
#include <mutex>
#include <utility>

namespace troupe::store {

/// One of several handles to a store that cannot be opened twice (`memory:`):
/// calls of several threads take turns.
class shared_store final : public job_store {
public:
  /// What all handles share.
  struct core {
    std::mutex mutex;
    std::unique_ptr<job_store> store;
  };

  explicit shared_store(std::shared_ptr<core> of) : core_(std::move(of)) {}

  result<std::vector<applied>> apply(std::span<const operation> ops) override {
    return locked().store->apply(ops);
  }
  result<claim_result> claim(const claim_request& request) override {
    return locked().store->claim(request);
  }
  result<std::vector<errc>> renew(std::span<const held_lease> leases,
                                  std::int64_t lease_ms) override {
    return locked().store->renew(leases, lease_ms);
  }
  result<std::vector<errc>> look(std::span<const held_lease> leases) override {
    return locked().store->look(leases);
  }
  result<sweep_result> sweep(const sweep_request& request) override {
    return locked().store->sweep(request);
  }
  result<sweep_result> adopt(const sweep_request& request) override {
    return locked().store->adopt(request);
  }
  result<job> get(const std::string& id) override {
    return locked().store->get(id);
  }
  result<job_page> list(const list_query& query) override {
    return locked().store->list(query);
  }
  result<std::vector<queue_depth>> depths() override {
    return locked().store->depths();
  }
  result<follow_result> follow(const sweep_request& request) override {
    return locked().store->follow(request);
  }
  result<batch_submitted> submit_batch(const batch_draft& draft,
                                       std::span<const job_draft> jobs,
                                       const idempotency& key) override {
    return locked().store->submit_batch(draft, jobs, key);
  }
  result<batch> get_batch(const std::string& id) override {
    return locked().store->get_batch(id);
  }
  result<bulk_result> bulk(const bulk_request& request) override {
    return locked().store->bulk(request);
  }
  result<std::vector<schedule>> schedules() override {
    return locked().store->schedules();
  }
  result<schedule> get_schedule(const std::string& name) override {
    return locked().store->get_schedule(name);
  }
  result<void> put_stream(const stream_record& it) override {
    return locked().store->put_stream(it);
  }
  result<void> drop_stream(const std::string& id) override {
    return locked().store->drop_stream(id);
  }
  result<stream_record> get_stream(const std::string& id) override {
    return locked().store->get_stream(id);
  }
  result<std::vector<stream_record>>
  streams(const std::string& after) override {
    return locked().store->streams(after);
  }
  result<std::vector<callback>> take_callbacks(std::uint32_t max) override {
    return locked().store->take_callbacks(max);
  }
  result<std::vector<callback>> dead_callbacks(const std::string& after,
                                               std::uint32_t max) override {
    return locked().store->dead_callbacks(after, max);
  }
  result<void> retry_callback(const std::string& id) override {
    return locked().store->retry_callback(id);
  }
  result<std::string> log_of(const std::string& id) override {
    return locked().store->log_of(id);
  }
  result<std::vector<queue_info>> queues() override {
    return locked().store->queues();
  }
  result<key_limit> limit_of(const std::string& key) override {
    return locked().store->limit_of(key);
  }
  result<audit_result> audit(const audit_request& request) override {
    return locked().store->audit(request);
  }
  [[nodiscard]] durability level() const noexcept override {
    return core_->store->level();
  }
  [[nodiscard]] std::string life() const override {
    const std::lock_guard lock{core_->mutex};
    return core_->store->life();
  }
  result<bool> synced(sync_watch& watch) override {
    return locked().store->synced(watch);
  }

private:
  /// Holds the mutex until the end of the expression it stands in.
  struct turn {
    std::unique_lock<std::mutex> lock;
    job_store* store;
  };

  turn locked() {
    return {std::unique_lock{core_->mutex}, core_->store.get()};
  }

  std::shared_ptr<core> core_;
};

} // namespace troupe::store
