#pragma once

#include "media/errc.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>

namespace troupe::media {

/// Sources that crashed the children that read them: after the second crash
/// within `window`, nobody reads that source for `refusal`. A source that was
/// read whole is forgotten. Thread-safe.
class bad_sources {
public:
  using clock = std::chrono::steady_clock;

  explicit bad_sources(std::chrono::seconds refusal) : refusal_(refusal) {}

  /// A child died of it. True if it is refused from now on.
  bool crashed(const std::string& source, clock::time_point now = clock::now());
  /// What reading it has come to. True if it is refused from now on.
  bool note(const std::string& source, errc end);
  /// It was read without harm.
  void read(const std::string& source);
  /// Seconds for which it is still refused; 0: it may be read.
  [[nodiscard]] double refused(const std::string& source,
                               clock::time_point now = clock::now());

private:
  struct record {
    unsigned crashes = 0;
    clock::time_point until; ///< then it is forgotten
  };

  /// More than these at once: what is forgotten first, is forgotten now.
  static constexpr std::size_t most = 10000;
  static constexpr unsigned budget = 2; ///< crashes
  static constexpr std::chrono::hours window{1};

  const std::chrono::seconds refusal_;
  std::mutex mutex_;
  std::map<std::string, record> records_;
};

} // namespace troupe::media
