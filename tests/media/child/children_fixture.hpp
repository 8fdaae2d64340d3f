#pragma once

#include "config/sanitizers.hpp"
#include "media/child/children.hpp"

#include <gtest/gtest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <thread>

namespace troupe::media {

/// A task that runs, and what was heard of it.
struct one_task {
  std::unique_ptr<codec_child> child;
  std::future<child_end> end;
  std::shared_ptr<std::atomic<int>> lines =
    std::make_shared<std::atomic<int>>(0);
  std::shared_ptr<std::atomic<int>> reports =
    std::make_shared<std::atomic<int>>(0);

  child_end wait() {
    if (end.wait_for(std::chrono::seconds{60}) == std::future_status::ready)
      return end.get();
    ADD_FAILURE() << "a task has no end";
    return {errc::internal, "no end", {}, {}, {}};
  }
};

inline child_task task_named(std::string name, std::string params = {}) {
  child_task task;
  task.name = std::move(name);
  task.params = std::move(params);
  return task;
}

inline child_limits little_memory() {
  child_limits limits;
  limits.memory = 256u << 20;
  return limits;
}

class Children : public testing::Test {
protected:
  static void give(one_task& to, child_task task) {
    auto ended = std::make_shared<std::promise<child_end>>();
    to.end = ended->get_future();
    child_listener listener;
    listener.on_progress = [count = to.reports](const child_progress&,
                                                const frame_credit&) {
      ++*count;
    };
    listener.on_log = [count = to.lines](std::string_view,
                                         const frame_credit&) {
      ++*count;
    };
    listener.on_end = [ended](child_end end) {
      ended->set_value(std::move(end));
    };
    to.child->run(std::move(task), std::move(listener));
  }

  one_task start(child_task task) {
    one_task made;
    made.child = children_.open(child_life::one_task);
    give(made, std::move(task));
    return made;
  }

  child_end run(child_task task) {
    auto made = start(std::move(task));
    return made.wait();
  }

  child_end run(std::string name, std::string params = {}) {
    return run(task_named(std::move(name), std::move(params)));
  }

  /// Waits for what comes soon; false if it does not.
  template <class Condition>
  static bool comes(Condition condition) {
    const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline)
        return false;
      std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
    return true;
  }

  pid_t zygote() {
    EXPECT_TRUE(comes([this] { return children_.zygote() != 0; }));
    return children_.zygote();
  }

  static std::size_t open_descriptors() {
    const std::filesystem::directory_iterator all{"/proc/self/fd"};
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }

  /// Of this process.
  static long resident_kb() {
    std::ifstream pages{"/proc/self/statm"};
    long all = 0;
    long resident = 0;
    pages >> all >> resident;
    return resident * (::sysconf(_SC_PAGESIZE) / 1024);
  }

  /// The name and end of a child of this process that nobody reaped; empty:
  /// there is none.
  static std::string zombie() {
    siginfo_t facts{};
    if (::waitid(P_ALL, 0, &facts, WEXITED | WNOHANG | WNOWAIT) != 0
        || facts.si_pid == 0)
      return {};
    std::ifstream name{"/proc/" + std::to_string(facts.si_pid) + "/comm"};
    std::string text;
    name >> text;
    return text + " " + std::to_string(facts.si_pid) + " ended with "
           + std::to_string(facts.si_status);
  }

  runtime threads_;
  codec_children children_{threads_, TROUPE_TEST_CODEC, little_memory()};
};

} // namespace troupe::media
