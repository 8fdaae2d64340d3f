#pragma once

#include "actors/gateway.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace troupe::net {

/// Actors as the edge sees them, in a map: answers at once, on the caller's
/// thread or on one of its own, or as `fault` says.
class fake_gateway final : public actors::gateway {
public:
  fake_gateway() = default;
  ~fake_gateway() override {
    for (auto& each : threads_)
      each.join();
  }

  /// Every answer is this failure from now on.
  void fail_with(std::error_code code, std::string detail = {});
  /// Answers are kept until `release()`.
  void hold();
  void release();
  /// Answers come on threads of their own.
  void answer_elsewhere();

  [[nodiscard]] std::vector<store::submit_op> submits();
  [[nodiscard]] std::vector<store::list_query> lists();
  [[nodiscard]] std::vector<store::operation> changes();
  [[nodiscard]] std::vector<store::bulk_request> bulks();
  /// What the log of every job holds from now on.
  void set_log(actors::log_reply log);
  /// So many requests for a log find the store away.
  void lose_logs(int requests);
  /// Adds a finished job that left a file.
  void add(store::job job);
  [[nodiscard]] std::size_t held();

  void submit(store::submit_op op,
              actors::reply_to<actors::submit_reply> reply) override;
  void command(actors::job_command_kind kind, std::string id,
               actors::reply_to<store::job> reply) override;
  void get(std::string id, actors::reply_to<store::job> reply) override;
  void list(store::list_query query,
            actors::reply_to<store::job_page> reply) override;
  void depths(actors::reply_to<std::vector<store::queue_depth>> reply) override;
  void queues(actors::reply_to<std::vector<store::queue_info>> reply) override;
  void log(std::string id, actors::reply_to<actors::log_reply> reply) override;
  void submit_batch(store::batch_draft draft,
                    std::vector<store::job_draft> jobs, store::idempotency key,
                    actors::reply_to<store::batch_submitted> reply) override;
  void batch(std::string id, actors::reply_to<store::batch> reply) override;
  void bulk(store::bulk_request request,
            actors::reply_to<store::bulk_result> reply) override;
  void change(store::operation op,
              actors::reply_to<store::applied> reply) override;
  void schedules(actors::reply_to<std::vector<store::schedule>> reply) override;
  void schedule(std::string name,
                actors::reply_to<store::schedule> reply) override;
  void limit(std::string key,
             actors::reply_to<store::key_limit> reply) override;
  void
  dead_callbacks(std::string after, std::uint32_t max,
                 actors::reply_to<std::vector<store::callback>> reply) override;
  void retry_callback(std::string id, actors::reply_to<bool> reply) override;
  void extract(std::string url,
               actors::reply_to<actors::extract_reply> reply) override;
  void nodes(actors::reply_to<actors::nodes_reply> reply) override;
  void figures(actors::reply_to<actors::hub_figures> reply) override;
  std::unique_ptr<actors::client_port>
  open_client(std::shared_ptr<actors::client_sink> sink) override;

private:
  template <class T>
  void give(actors::reply_to<T> reply, result<T> answer);
  result<actors::submit_reply> submit_now(store::submit_op op);
  result<store::job> find(const std::string& id);

  std::mutex mutex_;
  failure fault_;
  bool hold_ = false;
  bool elsewhere_ = false;
  std::vector<std::function<void()>> held_;
  std::vector<std::thread> threads_;
  std::map<std::string, store::job> jobs_;
  std::map<std::string, std::pair<std::string, store::job>> answered_;
  std::vector<store::submit_op> submits_;
  std::vector<store::list_query> lists_;
  std::vector<store::operation> changes_;
  std::vector<store::bulk_request> bulks_;
  std::map<std::string, store::batch> batches_;
  std::map<std::string, store::schedule> schedules_;
  std::map<std::string, store::key_limit> limits_;
  store::queue_info bulk_queue_;
  actors::log_reply log_;
  int lost_logs_ = 0;
};

} // namespace troupe::net
