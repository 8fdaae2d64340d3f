#pragma once

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace troupe::media {

/// The threads of this layer: one that waits (tools, the egress proxy,
/// timers), and a few that may block on files. Destroying it joins them.
class runtime {
public:
  explicit runtime(unsigned file_threads = 2);
  ~runtime();
  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;

  /// A single thread; nothing on it may block.
  [[nodiscard]] boost::asio::any_io_executor io();
  /// For hashing, syncing, linking: work that blocks on a file system.
  [[nodiscard]] boost::asio::any_io_executor files();

  /// Waits until what was posted to `files()` is done; what comes later never
  /// is. Without it, destroying drops what waits there. Not on those threads.
  void finish_files();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace troupe::media
