#include "media/download/tool_step.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace troupe::media {

namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

/// Between SIGTERM and SIGKILL; a cancelled tree has to be gone within 2 s.
constexpr milliseconds grace{700};
/// A guard that does not even answer its own death is a defect: go on.
constexpr std::chrono::seconds reaping{10};

} // namespace

tool_step::tool_step(runtime& threads) : wake_(threads.io()) {}

asio::awaitable<result<tool_end>> tool_step::run(tool_runner& runner,
                                                 tool_command command,
                                                 on_line out, on_line err,
                                                 std::chrono::seconds limit) {
  exit_.reset();
  auto started =
    runner.run(std::move(command), listener(std::move(out), std::move(err)));
  if (!started)
    co_return started.error();
  running_ = std::move(*started);
  const auto wait = asio::as_tuple(asio::use_awaitable);
  tool_end end;
  wake_.expires_after(limit);
  while (!exit_) {
    co_await wake_.async_wait(wait);
    if (exit_)
      break;
    if (end.timed_out)
      co_return fail(errc::internal, "a tool cannot be reaped");
    if (wake_.expiry() <= std::chrono::steady_clock::now()) {
      end.timed_out = true;
      running_->stop(grace);
      wake_.expires_after(reaping);
    }
  }
  running_.reset();
  end.exit = *exit_;
  co_return end;
}

void tool_step::stop() {
  if (running_ && !exit_)
    running_->stop(grace);
}

bool tool_step::is_lively() {
  if (!running_ || exit_)
    return true;
  const auto now = running_->activity();
  return std::exchange(activity_, now) != now;
}

tool_listener tool_step::listener(on_line out, on_line err) {
  tool_listener heard;
  heard.on_output_line = std::move(out);
  heard.on_error_line = std::move(err);
  heard.on_exit = [self = shared_from_this()](tool_exit exit) {
    self->exit_ = std::move(exit);
    self->wake_.cancel();
  };
  return heard;
}

} // namespace troupe::media
