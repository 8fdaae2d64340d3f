#pragma once

#include "actors/store/job_store.hpp"

#include <memory>
#include <utility>

namespace troupe::actors::testing {

/// What happens to a store's answers.
struct store_faults {
  bool away = false;        ///< nothing happens, nothing is answered
  bool answer_lost = false; ///< the next write happens, unseen
  std::size_t writes = 0;
  std::size_t renewals = 0;
};

/// A store that goes away and comes back.
class flaky_store final : public store::job_store {
public:
  flaky_store(std::shared_ptr<store::job_store> inner,
              std::shared_ptr<store_faults> faults)
    : inner_(std::move(inner)), faults_(std::move(faults)) {}

  result<std::vector<store::applied>>
  apply(std::span<const store::operation> ops) override {
    if (faults_->away)
      return gone();
    ++faults_->writes;
    auto done = inner_->apply(ops);
    if (std::exchange(faults_->answer_lost, false))
      return gone();
    return done;
  }
  result<std::vector<store::job>>
  claim(const store::claim_request& request) override {
    if (faults_->away)
      return gone();
    return inner_->claim(request);
  }
  result<std::vector<store::errc>>
  renew(std::span<const store::held_lease> leases,
        std::int64_t lease_ms) override {
    if (faults_->away)
      return gone();
    ++faults_->renewals;
    return inner_->renew(leases, lease_ms);
  }
  result<store::sweep_result>
  sweep(const store::sweep_request& request) override {
    if (faults_->away)
      return gone();
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
  store::durability level() const noexcept override {
    return inner_->level();
  }

private:
  static failure gone() {
    return fail(store::errc::unavailable, "as the test wants it");
  }

  std::shared_ptr<store::job_store> inner_;
  std::shared_ptr<store_faults> faults_;
};

} // namespace troupe::actors::testing
