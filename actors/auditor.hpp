#pragma once

#include "actors/store/job_store.hpp"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace troupe::config {
class metrics;
}

namespace troupe::actors {

struct auditor_options {
  /// Opens the store once more; called on the auditor's own thread.
  std::function<result<std::unique_ptr<store::job_store>>()> open;
  config::metrics* metrics = nullptr; ///< optional
  /// Called before each look, with the store; may fail as the store does.
  std::function<result<void>(store::job_store&)> before; ///< optional
  /// From one look at everything to the next, at least.
  std::chrono::milliseconds every = std::chrono::minutes{10};
  /// Of each span it works one part; it rests for the others.
  unsigned parts = 200;
};

/// Looks again and again, slowly, whether the store's invariants hold, on a
/// thread and a connection of its own, so that it holds up nobody. It repairs
/// nothing: it tells, in the log and in the metrics.
class auditor {
public:
  explicit auditor(auditor_options options);
  auditor(const auditor&) = delete;
  auditor& operator=(const auditor&) = delete;
  ~auditor();

private:
  using clock = std::chrono::steady_clock;

  void run(const std::stop_token& stop);
  /// @return false if the store did not answer
  bool look_once(const std::stop_token& stop);
  bool look_at_all(const std::stop_token& stop);
  void tell(const store::audit_result& step) const;
  void rest(const std::stop_token& stop, clock::duration span);

  auditor_options options_;
  std::unique_ptr<store::job_store> store_;
  std::mutex mutex_;
  std::condition_variable_any wakes_;
  std::jthread thread_; ///< last: it uses the others
};

} // namespace troupe::actors
