#pragma once

#include "media/runtime.hpp"
#include "media/tool/tool.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

namespace troupe::media {

/// How a tool's run ended.
struct tool_end {
  tool_exit exit;
  bool timed_out = false;
};

/// Runs tools one after the other for a coroutine on the io thread.
/// Invariant: `running_` is set exactly between a start and the reaping of
/// that tool's whole tree. Shared with the tool's listener, so that it may
/// outlive its coroutine.
class tool_step : public std::enable_shared_from_this<tool_step> {
public:
  explicit tool_step(runtime& threads);

  using on_line = std::function<void(std::string_view)>;

  /// Starts the command and waits until its tree is reaped. After `limit` or
  /// `stop()` it is killed, and reaped still. @pre none is running.
  [[nodiscard]] boost::asio::awaitable<result<tool_end>>
  run(tool_runner& runner, tool_command command, on_line out, on_line err,
      std::chrono::seconds limit);

  /// Kills what runs. On the io thread.
  void stop();

  /// False if a tool runs that has done nothing since the last call. On the
  /// io thread.
  [[nodiscard]] bool is_lively();

private:
  [[nodiscard]] tool_listener listener(on_line out, on_line err);

  boost::asio::steady_timer wake_; ///< cancelled when the tool is reaped
  std::unique_ptr<tool> running_;
  std::optional<tool_exit> exit_;
  std::uint64_t activity_ = 0; ///< of the tool, when it was last looked at
};

} // namespace troupe::media
