#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>

namespace troupe::media {

/// Hosts that answered 429, and until when they are to be left alone: what one
/// job was told holds back all jobs of this server. Thread-safe.
class host_pauses {
public:
  using clock = std::chrono::steady_clock;

  /// Pauses the host for so long from `now` on; a longer pause stays.
  void pause(const std::string& host, double seconds,
             clock::time_point now = clock::now());
  /// Seconds until the host may be asked again; 0: at once.
  [[nodiscard]] double left(const std::string& host,
                            clock::time_point now = clock::now());

private:
  /// More hosts than this at once: those that end first are forgotten.
  static constexpr std::size_t most = 10000;

  std::mutex mutex_;
  std::map<std::string, clock::time_point> until_;
};

} // namespace troupe::media
