#include "config/log.hpp"
#include "media/tool/running_tool.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <random>
#include <unordered_map>

namespace troupe::media {

namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

class tool_handle final : public tool {
public:
  tool_handle(asio::any_io_executor io, std::shared_ptr<running_tool> running)
    : io_(std::move(io)), running_(std::move(running)) {}

  ~tool_handle() override {
    running_->silence();
    stop(0ms);
  }

  void stop(std::chrono::milliseconds grace) override {
    asio::dispatch(io_, [running = running_, grace] { running->stop(grace); });
  }

  std::uint64_t activity() const override {
    return running_->activity();
  }

private:
  asio::any_io_executor io_;
  std::shared_ptr<running_tool> running_;
};

/// What runs, so that the runner's end can wait for it. Thread-safe.
class census {
public:
  std::uint64_t add() {
    const std::lock_guard guarded{mutex_};
    running_.emplace(++last_, std::weak_ptr<running_tool>{});
    return last_;
  }
  void name(std::uint64_t number, const std::shared_ptr<running_tool>& tool) {
    const std::lock_guard guarded{mutex_};
    if (const auto found = running_.find(number); found != running_.end())
      found->second = tool;
  }
  void remove(std::uint64_t number) {
    const std::lock_guard guarded{mutex_};
    running_.erase(number);
    changed_.notify_all();
  }
  std::vector<std::shared_ptr<running_tool>> all() {
    const std::lock_guard guarded{mutex_};
    std::vector<std::shared_ptr<running_tool>> found;
    for (const auto& [number, tool] : running_)
      if (auto alive = tool.lock())
        found.push_back(std::move(alive));
    return found;
  }
  void wait_until_empty(std::chrono::milliseconds longest) {
    std::unique_lock guarded{mutex_};
    changed_.wait_for(guarded, longest, [this] { return running_.empty(); });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<std::uint64_t, std::weak_ptr<running_tool>> running_;
  std::uint64_t last_ = 0;
};

bool has_variable(const std::vector<std::string>& environment,
                  std::string_view name) {
  return std::any_of(
    environment.begin(), environment.end(), [name](const std::string& entry) {
      return entry.starts_with(name) && entry.substr(name.size(), 1) == "=";
    });
}

std::vector<std::string> environment_of(const tool_command& command,
                                        const std::string& marker) {
  auto environment = command.environment;
  const auto folder = command.folder.string();
  const std::pair<const char*, std::string> defaults[]{
    {"HOME", folder},
    {"TMPDIR", folder},
    {"PATH", "/usr/bin:/bin"},
    {"LANG", "C.UTF-8"},
    {"PYTHONDONTWRITEBYTECODE", "1"}};
  for (const auto& [name, value] : defaults)
    if (!has_variable(environment, name))
      environment.push_back(name + ("=" + value));
  environment.push_back(marker);
  return environment;
}

/// The lock names the work; without one, a number that nobody else has.
std::string marker_of(const tool_command& command) {
  if (!command.lock_file.empty())
    return "TROUPE_TOOL=" + command.lock_file.string();
  static std::atomic<std::uint64_t> count{0};
  static const auto start = std::random_device{}();
  return "TROUPE_TOOL=" + std::to_string(::getpid()) + "."
         + std::to_string(start) + "." + std::to_string(++count);
}

guard_order order_of(tool_command& command) {
  guard_order order;
  order.marker = marker_of(command);
  order.environment = environment_of(command, order.marker);
  order.argv = std::move(command.argv);
  order.folder = std::move(command.folder);
  order.lock_file = std::move(command.lock_file);
  order.readable = std::move(command.readable);
  order.nice = command.nice;
  order.connect_port = command.connect_port;
  order.limits = command.limits;
  return order;
}

bool is_executable(const fs::path& path) {
  std::error_code wrong;
  return fs::is_regular_file(path, wrong) && ::access(path.c_str(), X_OK) == 0;
}

} // namespace

struct tool_runner::impl {
  runtime& threads;
  fs::path guard;
  std::shared_ptr<census> running = std::make_shared<census>();
};

tool_runner::tool_runner(runtime& threads, fs::path guard)
  : impl_(new impl{threads, std::move(guard)}) {
  if (landlock_abi() == 0)
    log::warn("this kernel has no Landlock: tools can read and write whatever "
              "the server can");
}

tool_runner::~tool_runner() {
  for (auto& tool : impl_->running->all())
    asio::post(impl_->threads.io(), [tool] { tool->stop(0ms); });
  impl_->running->wait_until_empty(3s);
}

result<std::unique_ptr<tool>> tool_runner::run(tool_command command,
                                               tool_listener listener) {
  if (command.argv.empty() || !is_executable(command.argv.front()))
    return fail(errc::tool_missing,
                command.argv.empty() ? std::string{} : command.argv.front());
  const auto max_line = command.max_line;
  auto order = order_of(command);
  auto guard = spawn_guard(impl_->guard, order);
  if (!guard)
    return guard.error();
  const auto number = impl_->running->add();
  auto running = std::make_shared<running_tool>(
    impl_->threads, std::move(*guard), std::move(order.marker), max_line,
    std::move(listener),
    [census = impl_->running, number] { census->remove(number); });
  impl_->running->name(number, running);
  asio::post(impl_->threads.io(), [running] { running->start(); });
  return std::make_unique<tool_handle>(impl_->threads.io(), std::move(running));
}

fs::path find_program(const std::string& name) {
  if (name.empty())
    return {};
  if (name.find('/') != std::string::npos) {
    const auto path = fs::absolute(name);
    return is_executable(path) ? path : fs::path{};
  }
  const char* variable = std::getenv("PATH");
  std::string_view rest = variable ? variable : "/usr/bin:/bin";
  while (!rest.empty()) {
    const auto end = std::min(rest.find(':'), rest.size());
    const auto folder = rest.substr(0, end);
    if (folder.starts_with('/') && is_executable(fs::path{folder} / name))
      return fs::path{folder} / name;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return {};
}

} // namespace troupe::media
