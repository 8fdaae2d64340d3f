#pragma once

#include "media/child/children.hpp"
#include "media/job_cost.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <optional>

namespace troupe::media {

/// Adds what a child has used to what its attempt has.
void count(const child_usage& used, attempt_usage& of);

/// Runs tasks in children of their own, one after the other, for a coroutine
/// on the io thread. Shared with the child's listener, so that it may outlive
/// its coroutine. Invariant: `child_` is set exactly while one runs.
class child_step : public std::enable_shared_from_this<child_step> {
public:
  explicit child_step(runtime& threads);

  /// Ends when the child is reaped; it keeps its own deadlines.
  /// @param writes as for `codec_children::open`
  [[nodiscard]] boost::asio::awaitable<child_end> run(codec_children& children,
                                                      child_task task,
                                                      child_rank rank,
                                                      std::uint64_t writes = 0);

  /// Kills what runs. On the io thread.
  void stop(errc why);

private:
  boost::asio::steady_timer wake_; ///< cancelled at the child's end
  std::unique_ptr<codec_child> child_;
  std::optional<child_end> end_;
};

} // namespace troupe::media
