#pragma once

#include "media/child/frame.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace troupe::media {

class child_process;

/// Which children live, so that the end can wait for them. Thread-safe, but for
/// `buffer`, which is the io thread's alone.
class child_census {
public:
  void add(const std::shared_ptr<child_process>& child) {
    const std::lock_guard guarded{mutex_};
    living_.emplace(child.get(), child);
  }
  void remove(const child_process* child) {
    const std::lock_guard guarded{mutex_};
    living_.erase(child);
    changed_.notify_all();
  }
  [[nodiscard]] std::size_t count() const {
    const std::lock_guard guarded{mutex_};
    return living_.size();
  }
  [[nodiscard]] std::vector<std::shared_ptr<child_process>> all() const {
    const std::lock_guard guarded{mutex_};
    std::vector<std::shared_ptr<child_process>> found;
    for (const auto& [address, child] : living_)
      if (auto alive = child.lock())
        found.push_back(std::move(alive));
    return found;
  }
  void wait_until_empty(std::chrono::milliseconds longest) {
    std::unique_lock guarded{mutex_};
    changed_.wait_for(guarded, longest, [this] { return living_.empty(); });
  }

  frame_buffer buffer; ///< for one packet at a time, whoever sent it

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<const child_process*, std::weak_ptr<child_process>>
    living_;
};

} // namespace troupe::media
