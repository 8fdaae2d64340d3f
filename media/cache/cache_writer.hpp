#pragma once

#include "media/cache/cached.hpp"

#include "config/result.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace troupe::media {

/// Bytes that may wait to be written; beyond it, what is made stays in memory
/// alone.
inline constexpr std::uint64_t most_unwritten = 64u << 20;

/// Writes what is to be kept on disk, on a thread of its own and in order, so
/// that a slow disk holds up nobody: what finds too much waiting is not kept.
/// Thread-safe; no call but destruction blocks.
/// Invariant: `bytes_` is the sum of what is in `waiting_` or being written.
class cache_writer {
public:
  /// Blocks; as `disk_cache::put`.
  using write_call =
    std::function<result<void>(const cache_key& key, const cached_bytes& what)>;

  /// @param most bytes that may wait
  cache_writer(write_call write, std::uint64_t most);
  /// Writes what waits, for two seconds at most, and drops the rest; what was
  /// given to `after` is done in any case.
  ~cache_writer();
  cache_writer(const cache_writer&) = delete;
  cache_writer& operator=(const cache_writer&) = delete;

  /// @return false if it is dropped. What has no digest gets it here.
  bool put(const cache_key& key, cached_ptr what);

  /// Does it when all that was put before is written. It may block.
  void after(std::function<void()> work);

  /// How many were, since the start.
  [[nodiscard]] std::uint64_t dropped() const noexcept {
    return dropped_;
  }

private:
  struct item {
    cache_key key;
    cached_ptr what; ///< null: `work`
    std::function<void()> work;
  };

  void run();
  void write(const item& one);

  const write_call write_;
  const std::uint64_t most_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<item> waiting_;
  std::uint64_t bytes_ = 0;
  bool ending_ = false;
  std::chrono::steady_clock::time_point end_by_;
  bool failing_ = false; ///< the last one was not written; of the thread
  std::atomic<std::uint64_t> dropped_ = 0;
  std::thread thread_;
};

} // namespace troupe::media
