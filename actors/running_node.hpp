#pragma once

#include "actors/auditor.hpp"
#include "actors/edge.hpp"
#include "actors/node_budget.hpp"
#include "actors/node_options.hpp"
#include "actors/queue.hpp"
#include "actors/root.hpp"
#include "actors/store/spool.hpp"
#include "actors/system.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace troupe::actors {

/// The actors of this process, and what they stand on.
/// Invariant: the system is gone before what it was given; `status_` is set
/// once, by the root's last act.
class running_node final : public node {
public:
  /// @param store null: it is away, and opened when it answers
  running_node(const config::settings& settings, media::workbench& bench,
               config::metrics& metrics, std::string id, store_opener open,
               std::unique_ptr<store::job_store> store,
               std::shared_ptr<store::spool> spool);
  ~running_node() override;

  gateway& edge() override {
    return edge_;
  }

  image_desk& images() override {
    return edge_;
  }

  stream_desk& streams() override {
    return edge_;
  }

  readiness ready() const override {
    return {.store = status_->store_up,
            .remote = spool_ != nullptr,
            .spool = !status_->spool_failed,
            .spooled = status_->spooled,
            .kept = status_->kept,
            .spooled_bytes = status_->spooled_bytes,
            .draining = drain_until_.load() != none || status_->draining};
  }

  store::durability reaches() const override {
    return status_->reaches;
  }

  void retire() override;
  void drain() override;
  std::optional<int> wait_for(std::chrono::milliseconds limit) override;
  int wait() override;

private:
  using clock = std::chrono::steady_clock;
  static constexpr clock::time_point none{};

  root_options plan(config::metrics& metrics, std::string id);
  void plan_callbacks(root_options& plan);
  void plan_crew(root_options& plan, config::metrics& metrics);
  void plan_streams(root_options& plan, config::metrics& metrics);
  void plan_stage(root_options& plan);
  void plan_managers(root_options& plan, config::metrics& metrics);
  void plan_monitor(root_options& plan, config::metrics& metrics,
                    std::string id);
  queue_options queue_plan(config::metrics& metrics, std::string id);
  void start_audits(config::metrics& metrics);
  void end(int status);

  const config::settings& settings_;
  media::workbench& bench_;
  const store_opener open_;
  std::unique_ptr<store::job_store> store_;   ///< until the queue takes it
  const std::shared_ptr<store::spool> spool_; ///< null: the store is here
  std::shared_ptr<lease_board> board_ = std::make_shared<lease_board>();
  std::shared_ptr<node_budget> budget_;
  std::shared_ptr<queue_status> status_ = std::make_shared<queue_status>();
  std::unique_ptr<caf::actor_system_config> config_;
  std::unique_ptr<caf::actor_system> sys_;
  class edge edge_;
  root_actor root_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool started_ = false; ///< the edge knows whom to ask
  std::optional<int> exit_status_;
  std::atomic<clock::time_point> drain_until_{none};
  std::unique_ptr<auditor> auditor_;
};

} // namespace troupe::actors
