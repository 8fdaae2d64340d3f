#pragma once

#include "actors/store/job_store.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace troupe::actors::testing {

/// What happens to a store's answers.
struct store_faults {
  bool away = false;        ///< nothing happens, nothing is answered
  bool answer_lost = false; ///< the next write happens, unseen
  bool claim_lost = false;  ///< the next claim that finds any, too
  std::optional<store::durability> level; ///< another than it has
  std::optional<std::string> life;        ///< another than it has
  std::optional<bool> synced;             ///< another answer than it has
  /// Its disk has no room for these, nor for a write that they are part of.
  std::function<bool(const store::operation&)> too_big;
  bool full = false; ///< it has none for anything
  std::size_t writes = 0;
  std::size_t renewals = 0;
};

/// A store that goes away and comes back.
class flaky_store : public store::job_store {
public:
  flaky_store(std::shared_ptr<store::job_store> inner,
              std::shared_ptr<store_faults> faults)
    : inner_(std::move(inner)), faults_(std::move(faults)) {}

  result<std::vector<store::applied>>
  apply(std::span<const store::operation> ops) override {
    if (faults_->away)
      return gone();
    ++faults_->writes;
    if (faults_->full
        || (faults_->too_big && std::ranges::any_of(ops, faults_->too_big)))
      return no_room();
    auto done = inner_->apply(ops);
    if (std::exchange(faults_->answer_lost, false))
      return gone();
    return done;
  }
  result<store::claim_result>
  claim(const store::claim_request& request) override {
    if (faults_->away)
      return gone();
    if (faults_->full)
      return no_room();
    auto jobs = inner_->claim(request);
    if (jobs && !jobs->jobs.empty()
        && std::exchange(faults_->claim_lost, false))
      return gone();
    return jobs;
  }
  result<std::vector<store::errc>>
  renew(std::span<const store::held_lease> leases,
        std::int64_t lease_ms) override {
    if (faults_->away)
      return gone();
    if (faults_->full)
      return no_room();
    ++faults_->renewals;
    return inner_->renew(leases, lease_ms);
  }
  result<std::vector<store::errc>>
  look(std::span<const store::held_lease> leases) override {
    if (faults_->away)
      return gone();
    std::vector<store::errc> answers;
    for (const auto& lease : leases) {
      const auto job = inner_->get(lease.id);
      const bool good =
        job && job->fence == lease.fence && job->lease_until > 0;
      answers.push_back(!good ? store::errc::stale_fence
                        : job->state == store::job_state::cancelling
                          ? store::errc::invalid_state
                          : store::errc::none);
    }
    return answers;
  }
  result<store::sweep_result>
  sweep(const store::sweep_request& request) override {
    if (faults_->away)
      return gone();
    if (faults_->full)
      return no_room();
    return inner_->sweep(request);
  }
  result<store::sweep_result>
  adopt(const store::sweep_request& request) override {
    if (faults_->away)
      return gone();
    return inner_->adopt(request);
  }
  result<store::job> get(const std::string& id) override {
    if (faults_->away)
      return gone();
    return inner_->get(id);
  }
  result<store::job_page> list(const store::list_query& query) override {
    return inner_->list(query);
  }
  result<std::vector<store::queue_depth>> depths() override {
    return inner_->depths();
  }
  result<store::follow_result>
  follow(const store::sweep_request& request) override {
    if (faults_->away)
      return gone();
    return inner_->follow(request);
  }
  result<store::batch_submitted>
  submit_batch(const store::batch_draft& draft,
               std::span<const store::job_draft> jobs,
               const store::idempotency& key) override {
    if (faults_->away)
      return gone();
    if (faults_->full)
      return no_room();
    return inner_->submit_batch(draft, jobs, key);
  }
  result<store::batch> get_batch(const std::string& id) override {
    return inner_->get_batch(id);
  }
  result<store::bulk_result> bulk(const store::bulk_request& request) override {
    return inner_->bulk(request);
  }
  result<std::vector<store::schedule>> schedules() override {
    return inner_->schedules();
  }
  result<store::schedule> get_schedule(const std::string& name) override {
    return inner_->get_schedule(name);
  }
  result<void> put_stream(const store::stream_record& it) override {
    if (faults_->away)
      return gone();
    return inner_->put_stream(it);
  }
  result<void> drop_stream(const std::string& id) override {
    if (faults_->away)
      return gone();
    return inner_->drop_stream(id);
  }
  result<store::stream_record> get_stream(const std::string& id) override {
    if (faults_->away)
      return gone();
    return inner_->get_stream(id);
  }
  result<std::vector<store::stream_record>>
  streams(const std::string& after) override {
    return inner_->streams(after);
  }
  result<std::vector<store::callback>>
  take_callbacks(std::uint32_t max) override {
    return inner_->take_callbacks(max);
  }
  result<std::vector<store::callback>>
  dead_callbacks(const std::string& after, std::uint32_t max) override {
    return inner_->dead_callbacks(after, max);
  }
  result<void> retry_callback(const std::string& id) override {
    return inner_->retry_callback(id);
  }
  result<std::string> log_of(const std::string& id) override {
    return inner_->log_of(id);
  }
  result<std::vector<store::queue_info>> queues() override {
    return inner_->queues();
  }
  result<store::key_limit> limit_of(const std::string& key) override {
    return inner_->limit_of(key);
  }
  result<store::audit_result>
  audit(const store::audit_request& request) override {
    return inner_->audit(request);
  }
  store::durability level() const noexcept override {
    return faults_->level.value_or(inner_->level());
  }
  std::string life() const override {
    return faults_->life.value_or(inner_->life());
  }
  result<bool> synced(store::sync_watch& watch) override {
    if (faults_->away)
      return gone();
    if (faults_->synced)
      return *faults_->synced;
    return inner_->synced(watch);
  }

private:
  static failure gone() {
    return fail(store::errc::unavailable, "as the test wants it");
  }
  static failure no_room() {
    return fail(store::errc::disk_full, "as the test wants it");
  }

  std::shared_ptr<store::job_store> inner_;
  std::shared_ptr<store_faults> faults_;
};

} // namespace troupe::actors::testing
