#pragma once

#include "media/descriptor.hpp"
#include "media/tool/lines.hpp"
#include "media/tool/order.hpp"
#include "media/tool/tool.hpp"
#include "tests/media/temporary_folder.hpp"

#include <boost/asio/post.hpp>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <optional>
#include <thread>

namespace troupe::media::testing_tools {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using lines = std::vector<std::string>;
using steady = std::chrono::steady_clock;

/// All that one tool said, for a test to wait on.
class record {
public:
  tool_listener listener() {
    tool_listener made;
    made.on_output_line = [this](std::string_view line) {
      add(output, line);
    };
    made.on_error_line = [this](std::string_view line) {
      add(errors, line);
    };
    made.on_exit = [this](tool_exit how) {
      const std::lock_guard guarded{mutex_};
      exit = std::move(how);
      changed_.notify_all();
    };
    return made;
  }

  template <class Condition>
  bool wait(Condition&& holds) {
    std::unique_lock guarded{mutex_};
    return changed_.wait_for(guarded, 20s, holds);
  }
  bool wait_for_exit() {
    return wait([this] { return exit.has_value(); });
  }
  bool wait_for_lines(std::size_t count) {
    return wait([this, count] { return output.size() >= count; });
  }

  lines output;
  lines errors;
  std::optional<tool_exit> exit;

private:
  void add(lines& to, std::string_view line) {
    const std::lock_guard guarded{mutex_};
    to.emplace_back(line);
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
};

template <class Condition>
bool eventually(Condition&& holds) {
  const auto deadline = steady::now() + 10s;
  while (steady::now() < deadline) {
    if (holds())
      return true;
    std::this_thread::yield();
  }
  return false;
}

inline bool is_alive(pid_t pid) {
  const auto status = content_of("/proc/" + std::to_string(pid) + "/status");
  return !status.empty() && status.find("State:\tZ") == std::string::npos;
}

inline std::size_t open_descriptors() {
  return static_cast<std::size_t>(
    std::distance(fs::directory_iterator{"/proc/self/fd"}, {}));
}

class tools : public testing::Test {
protected:
  tool_command shell(const std::string& script) {
    tool_command command;
    command.argv = {"/bin/sh", "-c", script};
    command.folder = folder_.path();
    return command;
  }

  /// Runs a script to its end.
  std::unique_ptr<record> run(const std::string& script) {
    return run(shell(script));
  }
  std::unique_ptr<record> run(tool_command command) {
    auto heard = std::make_unique<record>();
    auto started = runner_->run(std::move(command), heard->listener());
    EXPECT_TRUE(started) << started.error().message();
    EXPECT_TRUE(heard->wait_for_exit());
    return heard;
  }

  [[nodiscard]] const fs::path& folder() const {
    return folder_.path();
  }

  temporary_folder folder_;
  runtime threads_;
  std::unique_ptr<tool_runner> runner_ =
    std::make_unique<tool_runner>(threads_, TROUPE_TEST_GUARD);
};

/// A tree of three, each in a session of its own and deaf to SIGTERM; prints
/// its process ids.
inline constexpr auto stubborn_tree = R"(
  trap '' TERM
  deaf='trap "" TERM; echo $$; while :; do sleep 0.05; done'
  setsid sh -c "$deaf" &
  setsid sh -c "setsid sh -c '$deaf' & $deaf" &
  echo $$
  while :; do sleep 0.05; done)";

inline std::vector<pid_t> numbers_in(const lines& output) {
  std::vector<pid_t> numbers;
  for (const auto& line : output)
    numbers.push_back(std::stoi(line));
  return numbers;
}

} // namespace troupe::media::testing_tools
